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
                $"Both denoisers must have the same schedule; one has {one.Timesteps} timesteps up to σ/α {one.LevelAt(one.Timesteps - 1).Ratio:g6}, the other {two.Timesteps} up to {two.LevelAt(two.Timesteps - 1).Ratio:g6}.",
                worseName);
        }
    }

    private static Tensor Combine(Tensor better, Tensor worse, GuidanceOptions options, Tensor noisy, NoiseLevel level)
    {
        using var scope = NewDisposeScope();
        if (options is { Rescale: 0, KeepParallel: 1 })
        {
            return worse.lerp(better, options.Scale).MoveToOuterDisposeScope();
        }

        // x̂₀ = Skip·x_t + Out·output: the space in which lengths are measured. For x̂₀ itself Skip = 0 and Out = 1.
        var (skip, scale, _) = options.Space.At(level);
        (skip, scale) = double.IsFinite(skip / scale) && double.IsFinite(1 / scale) && double.IsFinite(skip) && double.IsFinite(scale) ? (skip, scale) : (0, 1);
        var target = ToSpace(better);
        var update = target - ToSpace(worse);
        if (options.KeepParallel != 1)
        {
            var share = Sum(update * target) / Sum(target * target).clamp_min(double.Epsilon); // [B, 1, …]
            update.sub_((share * (1 - options.KeepParallel)).to(update.dtype) * target);
        }

        var guided = target.add(update, alpha: options.Scale - 1);
        if (options.Rescale > 0)
        {
            var factor = Deviation(target) / Deviation(guided);
            // An image of one value has no deviation to restore.
            guided.mul_(((factor - 1) * options.Rescale).nan_to_num_(0, 0, 0) + 1);
        }

        return (skip == 0 && scale == 1 ? guided : guided.mul_(scale).add_(noisy, alpha: skip)).MoveToOuterDisposeScope();

        Tensor ToSpace(Tensor image) => skip == 0 && scale == 1 ? image : (image / scale).add_(noisy, alpha: -skip / scale);
    }

    /// <summary>The sum over all but the first dimension, in double precision: [B, …] → [B, 1, …].</summary>
    private static Tensor Sum(Tensor images) => images.sum(AllButFirst(images), keepdim: true, type: ScalarType.Float64);

    private static Tensor Deviation(Tensor images) => images.std(AllButFirst(images), unbiased: false, keepdim: true);

    private static long[] AllButFirst(Tensor images) => [.. Enumerable.Range(1, (int)images.dim() - 1)];
}
