using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Denoisers around denoisers, written one after the other: <c>trainer.Ema.With(3).Guided(2).Limited(ImageLimit.Clip())</c>.</summary>
public static class DenoiserExtensions
{
    /// <summary>Predicts the clean sample alone.</summary>
    /// <param name="denoiser">The denoiser.</param>
    /// <param name="noisy">x_t, [B, C, H, W], at one level; not changed, not disposed.</param>
    /// <param name="level">The level of the whole batch.</param>
    /// <returns>x̂₀, the shape of <paramref name="noisy"/>, for the caller to dispose.</returns>
    public static Tensor Denoise(this IDenoiser denoiser, Tensor noisy, NoiseLevel level)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        var prediction = denoiser.Predict(noisy, level);
        prediction.Variance?.Dispose();
        prediction.Unlimited?.Dispose();
        return prediction.Image;
    }

    /// <summary>Binds a condition: <c>denoiser.With(Condition.OfContext(text))</c>.</summary>
    /// <param name="denoiser">A denoiser whose network takes it.</param>
    /// <param name="condition">The condition; added to the one that is bound already (<see cref="Condition.And"/>).</param>
    /// <returns>The denoiser with this condition.</returns>
    public static IDenoiser With(this IDenoiser denoiser, Condition condition)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        ArgumentNullException.ThrowIfNull(condition);
        return new ConditionedDenoiser(denoiser, denoiser.Condition.And(condition));
    }

    /// <summary>Binds class labels.</summary>
    /// <param name="denoiser">A denoiser whose network takes labels.</param>
    /// <param name="labels">One label a sample, each at least 0; one label alone serves a batch of any size.</param>
    /// <returns>The denoiser of samples with these labels.</returns>
    /// <exception cref="ArgumentException">There is no label, or one is negative.</exception>
    public static IDenoiser With(this IDenoiser denoiser, params ReadOnlySpan<long> labels) => denoiser.With(Condition.OfLabels(labels));

    /// <summary>Limits x̂₀, for example by clipping it to [−1, 1]: <c>Limited(ImageLimit.Clip())</c>. This is the one place for it; samplers do not clip.</summary>
    /// <param name="denoiser">The denoiser.</param>
    /// <param name="limit">What is done to x̂₀.</param>
    /// <returns>The limited denoiser.</returns>
    public static IDenoiser Limited(this IDenoiser denoiser, ImageLimit limit)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        ArgumentNullException.ThrowIfNull(limit);
        return limit == ImageLimit.None ? denoiser : new LimitedDenoiser(denoiser, limit);
    }

    /// <summary>Runs the network in a precision: <c>trainer.Ema.In(ComputePrecision.BFloat16)</c>. Without it denoisers compute in float32, in whatever precision their network was trained.</summary>
    /// <param name="denoiser">The denoiser, with all that is around it, or without.</param>
    /// <param name="precision">The precision of the networks of Diffusion.Models. Samples stay in the type that they are given in. On a CPU that cannot use bfloat16 (<see cref="DiffusionRuntime.UsesBFloat16"/>) networks compute in float32 either way.</param>
    /// <returns>The denoiser in this precision.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such precision.</exception>
    public static IDenoiser In(this IDenoiser denoiser, ComputePrecision precision)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        return Enum.IsDefined(precision)
            ? new PrecisionDenoiser(denoiser, precision)
            : throw new ArgumentOutOfRangeException(nameof(precision), precision, "There is no such precision.");
    }
}
