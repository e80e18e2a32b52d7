using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A denoiser with a condition bound to it. A condition that a call names comes first.</summary>
internal sealed class ConditionedDenoiser(IDenoiser inner, Condition condition) : DelegatingDenoiser(inner)
{
    public override Condition Condition => condition;

    public override Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null) =>
        Inner.Predict(noisy, level, condition ?? Condition, estimate);
}
