using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The two predictions that guidance needs, and what it makes of them.</summary>
internal static class GuidedPrediction
{
    /// <summary>Calls what the scale and the level ask for: the better denoiser, the worse one, or both, in one call if they can.</summary>
    public static Prediction Of(IDenoiser better, IDenoiser worse, GuidanceOptions options, Tensor noisy, NoiseLevel level)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        if (options.Scale == 1 || options.Interval?.Contains(level) == false)
        {
            return better.Predict(noisy, level);
        }

        if (options is { Scale: 0, Rescale: 0, KeepParallel: 1 })
        {
            return worse.Predict(noisy, level);
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (own, other) = better is IBatchedDenoiser batched && batched.CanPredictWith(worse)
            ? batched.PredictWith(worse, noisy, level)
            : (better.Predict(noisy, level), worse.Predict(noisy, level));
        return new Prediction(Combine(own.Image, other.Image, options, noisy, level).MoveToOuterDisposeScope(), own.Variance?.MoveToOuterDisposeScope());
    }

    /// <summary>Both must understand the same levels.</summary>
    public static void CheckSchedules(IDenoiser better, IDenoiser worse, string worseName)
    {
        var (one, two) = (better.Schedule, worse.Schedule);
        if (!ReferenceEquals(one, two)
            && (one.Timesteps != two.Timesteps || one.LevelAt(0) != two.LevelAt(0) || one.LevelAt(one.Timesteps - 1) != two.LevelAt(two.Timesteps - 1)))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"Both denoisers must have the same schedule; one has {one.Timesteps} timesteps up to σ/α {one.LevelAt(one.Timesteps - 1).Ratio:g6}, the other {two.Timesteps} up to {two.LevelAt(two.Timesteps - 1).Ratio:g6}."),
                worseName);
        }
    }

    private static Tensor Combine(Tensor better, Tensor worse, GuidanceOptions options, Tensor noisy, NoiseLevel level)
    {
        using var scope = NewDisposeScope();
        if (options is { Rescale: 0, KeepParallel: 1 })
        {
            using var share = tensor(options.Scale);
            return worse.lerp(better, share).MoveToOuterDisposeScope();
        }

        // x̂₀ = Skip·x_t + Out·output: the space in which lengths are measured. For x̂₀ itself Skip = 0 and Out = 1.
        var (skip, scale, _) = options.Space.At(level);
        (skip, scale) = double.IsFinite(skip / scale) && double.IsFinite(1 / scale) && double.IsFinite(skip) && double.IsFinite(scale) ? (skip, scale) : (0, 1);
        using var unit = scale.ToScalar();
        using var kept = skip.ToScalar();
        using var taken = (-skip / scale).ToScalar();
        var target = ToSpace(better);
        var update = target - ToSpace(worse);
        if (options.KeepParallel != 1)
        {
            using var least = double.Epsilon.ToScalar();
            using var left = (1 - options.KeepParallel).ToScalar();
            var share = Sum(update * target) / Sum(target * target).clamp_min(least); // [B, 1, …]
            update.sub_((share * left).to(update.dtype) * target);
        }

        using var further = (options.Scale - 1).ToScalar();
        var guided = target.add(update, alpha: further);
        if (options.Rescale > 0)
        {
            var factor = Deviation(target) / Deviation(guided);
            // An image of one value has no deviation to restore.
            using var rescale = options.Rescale.ToScalar();
            guided.mul_(((factor - Scalars.One) * rescale).nan_to_num_(0, 0, 0).Plus(Scalars.One));
        }

        return (skip == 0 && scale == 1 ? guided : guided.mul_(unit).add_(noisy, alpha: kept)).MoveToOuterDisposeScope();

        Tensor ToSpace(Tensor image) => skip == 0 && scale == 1 ? image : (image / unit).add_(noisy, alpha: taken);
    }

    /// <summary>The sum over all but the first dimension, in double precision: [B, …] → [B, 1, …].</summary>
    private static Tensor Sum(Tensor images) => images.sum(AllButFirst(images), keepdim: true, type: ScalarType.Float64);

    private static Tensor Deviation(Tensor images) => images.std(AllButFirst(images), unbiased: false, keepdim: true);

    private static long[] AllButFirst(Tensor images) => [.. Enumerable.Range(1, (int)images.dim() - 1)];
}
