using static TorchSharp.torch;

namespace Diffusion;

/// <summary>A denoiser whose x̂₀ is kept within a limit: every sampler then uses the limited one.</summary>
internal sealed class LimitedDenoiser(IDenoiser inner, ImageLimit limit) : DelegatingDenoiser(inner)
{
    internal override string? NoLikelihood => limit.IsNone ? base.NoLikelihood : $"limits x̂₀ ({limit}), which is then no expected image: leave the limit out";

    internal override Tensor LimitImage(Tensor image) => limit.Apply(base.LimitImage(image));

    public override Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        using var scope = NewDisposeScope();
        var prediction = Inner.Predict(noisy, level, condition, estimate);
        var limited = limit.Apply(prediction.Image);
        return (prediction with
        {
            Image = ReferenceEquals(limited, prediction.Image) ? limited.alias() : limited,
            Unlimited = prediction.Unlimited ?? prediction.Image,
        }).MoveToOuterDisposeScope();
    }
}
