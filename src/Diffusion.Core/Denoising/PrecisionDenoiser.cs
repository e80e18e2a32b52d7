using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Runs a denoiser in a precision.</summary>
internal sealed class PrecisionDenoiser(IDenoiser denoiser, ComputePrecision precision) : ISelfConditionedDenoiser, IBatchedDenoiser
{
    public INoiseSchedule Schedule => denoiser.Schedule;

    public Device Device => denoiser.Device;

    private IDenoiser Inner => denoiser;

    private ComputePrecision Precision => precision;

    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        using var chosen = MixedPrecision.Use(precision);
        return denoiser.Denoise(noisy, level);
    }

    public Prediction Predict(Tensor noisy, NoiseLevel level)
    {
        using var chosen = MixedPrecision.Use(precision);
        return denoiser.Predict(noisy, level);
    }

    public Prediction Predict(Tensor noisy, NoiseLevel level, Tensor? estimate)
    {
        using var chosen = MixedPrecision.Use(precision);
        return denoiser is ISelfConditionedDenoiser inner ? inner.Predict(noisy, level, estimate) : denoiser.Predict(noisy, level);
    }

    public bool CanPredictWith(IDenoiser other) =>
        other is PrecisionDenoiser narrow && narrow.Precision == precision && denoiser is IBatchedDenoiser inner && inner.CanPredictWith(narrow.Inner);

    public (Prediction Own, Prediction Other) PredictWith(IDenoiser other, Tensor noisy, NoiseLevel level)
    {
        if (!CanPredictWith(other))
        {
            throw new ArgumentException("Only denoisers of one network, in one precision, share a call.", nameof(other));
        }

        using var chosen = MixedPrecision.Use(precision);
        return ((IBatchedDenoiser)denoiser).PredictWith(((PrecisionDenoiser)other).Inner, noisy, level);
    }
}
