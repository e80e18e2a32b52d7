using System.Globalization;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What is done to a predicted image x̂₀ that leaves the range of images. Derive from it to plug in a limit of your own.</summary>
/// <remarks>
/// Clipping: Denoising Diffusion Probabilistic Models, arXiv:2006.11239, the authors' code.
/// Dynamic thresholding: Photorealistic Text-to-Image Diffusion Models (Imagen), arXiv:2205.11487, section 2.3; with an upper bound for
/// the threshold, which the paper does not have and diffusers does.
/// </remarks>
public abstract class ImageLimit
{
    /// <summary>The image stays as it is.</summary>
    public static ImageLimit None { get; } = new Unlimited();

    /// <summary>Every value is clipped to [−range, range].</summary>
    /// <param name="range">A finite number above 0; 1 by default, the range of images.</param>
    /// <returns>The limit.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The range is not a finite number above 0.</exception>
    public static ImageLimit Clip(double range = 1) => double.IsFinite(range) && range > 0
        ? new Clipped(range)
        : throw new ArgumentOutOfRangeException(nameof(range), range, "The range must be a finite number above 0.");

    /// <summary>
    /// Dynamic thresholding: s is the quantile of the image's absolute values, clamped to [1, max]; the image is clipped to [−s, s] and
    /// divided by s. An image within [−1, 1] is not changed.
    /// </summary>
    /// <param name="ratio">Which quantile, over all values of an image, in (0, 1]; 0.995 by default.</param>
    /// <param name="max">The largest s, at least 1. With 1, the default, this is clipping to [−1, 1]; the paper has no bound: <see cref="double.PositiveInfinity"/>.</param>
    /// <returns>The limit.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public static ImageLimit Dynamic(double ratio = 0.995, double max = 1)
    {
        if (!(ratio > 0 && ratio <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "The quantile must be in (0, 1].");
        }

        return max >= 1
            ? new DynamicThreshold(ratio, max)
            : throw new ArgumentOutOfRangeException(nameof(max), max, "The largest threshold must be at least 1.");
    }

    /// <summary>Whether nothing is limited.</summary>
    internal virtual bool IsNone => false;

    /// <summary>Where values are clipped, and nothing else is done; <see langword="null"/> for other limits.</summary>
    internal virtual double? ClipRange => null;

    /// <summary>The quantile and the largest threshold of dynamic thresholding with a finite one; <see langword="null"/> for other limits.</summary>
    internal virtual (double Ratio, double Max)? Threshold => null;

    /// <summary>Applies the limit.</summary>
    /// <param name="image">x̂₀, [B, …]; not changed, not disposed.</param>
    /// <returns>The limited image in a new tensor, its shape, type and device, for the caller to dispose.</returns>
    public abstract Tensor Apply(Tensor image);

    private sealed class Unlimited : ImageLimit
    {
        internal override bool IsNone => true;

        public override Tensor Apply(Tensor image)
        {
            ArgumentNullException.ThrowIfNull(image);
            return image.alias();
        }

        public override string ToString() => "none";
    }

    private sealed class Clipped(double range) : ImageLimit
    {
        internal override double? ClipRange => range;

        public override Tensor Apply(Tensor image)
        {
            ArgumentNullException.ThrowIfNull(image);
            using var min = (-range).ToScalar();
            using var max = range.ToScalar();
            return image.clamp(min, max);
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"clip to {range}");
    }

    private sealed class DynamicThreshold(double ratio, double max) : ImageLimit
    {
        internal override (double Ratio, double Max)? Threshold => double.IsFinite(max) ? (ratio, max) : null;

        public override Tensor Apply(Tensor image)
        {
            ArgumentNullException.ThrowIfNull(image);
            using var scope = NewDisposeScope();
            // Half precision has too few bits to interpolate the quantile.
            var values = image.dtype == ScalarType.Float64 ? image : image.to(ScalarType.Float32);
            var shape = new long[image.dim()];
            Array.Fill(shape, 1);
            shape[0] = image.shape[0];
            using var limit = max.ToScalar();
            var threshold = Quantile(values.flatten(1).abs(), ratio).clamp_(Scalars.One, limit).view(shape); // [B] → [B, 1, …]
            return values.maximum(-threshold).minimum(threshold).div_(threshold).to(image.dtype).MoveToOuterDisposeScope();
        }

        public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"dynamic, quantile {ratio}, at most {max}");

        /// <summary>The quantile of each row, interpolated linearly between its neighbours: [B, N] → [B].</summary>
        private static Tensor Quantile(Tensor rows, double ratio)
        {
            var last = rows.shape[1] - 1;
            var rank = ratio * last;
            var below = (long)Math.Floor(rank);
            // Only the values from the quantile up need an order, and of the high quantiles in use these are few.
            var (largest, _) = rows.topk((int)(last - below + 1), 1, largest: true, sorted: true);
            var lower = largest.select(1, last - below);
            using var share = (rank - below).ToScalar();
            return below == last ? lower : lower.Plus((largest.select(1, last - below - 1) - lower) * share);
        }
    }
}
