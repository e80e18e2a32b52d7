using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Runs a denoiser in a precision.</summary>
internal sealed class PrecisionDenoiser(IDenoiser inner, ComputePrecision precision) : DelegatingDenoiser(inner)
{
    internal override string? NoLikelihood => precision == ComputePrecision.Float32 ? base.NoLikelihood : $"computes in {precision}, whose rounding adds up in a likelihood: leave it at {ComputePrecision.Float32}";

    public override Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        using var chosen = MixedPrecision.Use(precision);
        return Inner.Predict(noisy, level, condition, estimate);
    }
}
