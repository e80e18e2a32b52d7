using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// The network with its averaged weights: its parameters look at them for the time of a call, or of a sampling run, so that no second network is needed. A training step waits for
/// the call to end, and the call for the step.
/// </summary>
internal sealed class AveragedDenoiser(NetworkDenoiser inner, nn.Module network, IWeightSet average) : DelegatingDenoiser(inner)
{
    public override Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        using var averaged = NetworkAccess.Of(network).Evaluate(average);
        return Inner.Predict(noisy, level, condition, estimate);
    }
}
