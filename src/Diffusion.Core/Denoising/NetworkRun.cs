using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>One call of a trained network, the same for networks with and without labels: evaluation mode, no gradients, the network's type.</summary>
internal static class NetworkRun
{
    /// <param name="network">The network; left in the mode it was in.</param>
    /// <param name="parameterization">What it predicts.</param>
    /// <param name="noisy">x_t, [B, …]; not changed, not disposed.</param>
    /// <param name="level">The level of every image.</param>
    /// <param name="call">From the network's input [B, …] and the timesteps [B] to its output.</param>
    /// <returns>The prediction, in the type of <paramref name="noisy"/>, for the caller to dispose.</returns>
    public static Prediction Predict(
        nn.Module network, Parameterization parameterization, Tensor noisy, NoiseLevel level, Func<Tensor, Tensor, Tensor> call)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var evaluation = new EvaluationMode(network);
        var type = network.parameters().FirstOrDefault()?.dtype ?? noisy.dtype;
        var output = call(parameterization.ToInput(noisy, [level]).to(type), NetworkTimesteps.Of(level, noisy)).to(noisy.dtype);
        var (prediction, variance) = NetworkOutput.Split(noisy, output);
        return new Prediction(
            parameterization.ToImage(noisy, prediction, [level]).MoveToOuterDisposeScope(),
            variance?.clone().MoveToOuterDisposeScope());
    }
}
