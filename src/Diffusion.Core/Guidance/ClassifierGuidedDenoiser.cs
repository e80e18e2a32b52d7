using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Classifier guidance: moves x̂₀ by σ²/α·scale·∇ln p(y | x_t).</summary>
internal sealed class ClassifierGuidedDenoiser(IDenoiser inner, Func<Tensor, NoiseLevel, Tensor> gradient, double scale) : DelegatingDenoiser(inner)
{
    internal override string? NoLikelihood => scale == 0 ? base.NoLikelihood : "is guided by a gradient, which has no derivative here: leave the guidance out";

    public override Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        var shift = scale * level.Sigma * level.Sigma / level.Alpha;
        if (shift == 0 || level.Alpha == 0)
        {
            return Inner.Predict(noisy, level, condition, estimate);
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var prediction = Inner.Predict(noisy, level, condition, estimate);
        // The parts of a batch are the same noisy samples with different conditions, and the classifier knows only the samples.
        var parts = condition?.Parts.Count ?? 1;
        var samples = noisy.narrow(0, 0, noisy.shape[0] / parts);
        var direction = gradient(samples, level);
        Guard.SameShape(samples, direction);
        using var factor = shift.ToScalar();
        return prediction.MapImage(image => image.add(parts == 1 ? direction : cat([.. Enumerable.Repeat(direction, parts)]), alpha: factor)).MoveToOuterDisposeScope();
    }
}
