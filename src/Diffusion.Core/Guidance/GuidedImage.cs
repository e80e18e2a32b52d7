using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What guidance makes of two predictions.</summary>
internal static class GuidedImage
{
    /// <summary>worse + scale·(better − worse), rescaled and projected as the options say.</summary>
    /// <param name="better">x̂₀ with the condition, [B, …].</param>
    /// <param name="worse">x̂₀ without it.</param>
    /// <param name="options">How far, and what is done against oversaturation.</param>
    /// <param name="noisy">x_t.</param>
    /// <param name="level">Its level.</param>
    public static Tensor Combine(Tensor better, Tensor worse, GuidanceOptions options, Tensor noisy, NoiseLevel level)
    {
        using var scope = NewDisposeScope();
        if (options is { Rescale: 0, Eta: 1 })
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
        if (options.Eta != 1)
        {
            using var min = double.Epsilon.ToScalar();
            using var left = (1 - options.Eta).ToScalar();
            var share = Sum(update * target) / Sum(target * target).clamp_min(min); // [B, 1, …]
            update -= (share * left).to(update.dtype) * target; // a new tensor: gradients may need the old one
        }

        using var further = (options.Scale - 1).ToScalar();
        var guided = target.add(update, alpha: further);
        if (options.Rescale > 0)
        {
            var factor = Deviation(target) / Deviation(guided);
            // An image of one value has no deviation to restore.
            using var rescale = options.Rescale.ToScalar();
            guided *= ((factor - Scalars.One) * rescale).nan_to_num_(0, 0, 0).Plus(Scalars.One); // a new tensor, too
        }

        return (skip == 0 && scale == 1 ? guided : guided.mul_(unit).add_(noisy, alpha: kept)).MoveToOuterDisposeScope();

        Tensor ToSpace(Tensor image) => skip == 0 && scale == 1 ? image : (image / unit).add_(noisy, alpha: taken);
    }

    /// <summary>The sum over all but the first dimension, in double precision: [B, …] → [B, 1, …].</summary>
    private static Tensor Sum(Tensor images) => images.sum(AllButFirst(images), keepdim: true, type: ScalarType.Float64);

    private static Tensor Deviation(Tensor images) => images.std(AllButFirst(images), unbiased: false, keepdim: true);

    private static long[] AllButFirst(Tensor images) => [.. Enumerable.Range(1, (int)images.dim() - 1)];
}
