using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Interpolation between images: their noise is interpolated along an arc and sampled from, instead of mixing pixels.</summary>
/// <remarks>Denoising Diffusion Implicit Models, arXiv:2010.02502, section 5.3; the arc is Shoemake's (SIGGRAPH 1985).</remarks>
public static class LatentInterpolation
{
    private const double NearlyParallel = 0.9995;

    /// <summary>
    /// The point at a share of the arc between two tensors, image by image, with θ the angle between them over C, H and W:
    /// sin((1 − s)·θ)/sin θ·from + sin(s·θ)/sin θ·to. Where they are nearly parallel or opposite, or one is 0, on a straight line.
    /// </summary>
    /// <param name="from">[B, …], floating point.</param>
    /// <param name="to">The shape of <paramref name="from"/>.</param>
    /// <param name="share">s, in [0, 1]; at the ends the result is exactly the one or the other.</param>
    /// <returns>The shape and type of <paramref name="from"/>, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The shapes differ.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The share is outside [0, 1].</exception>
    public static Tensor Slerp(Tensor from, Tensor to, double share)
    {
        ArgumentNullException.ThrowIfNull(from);
        ArgumentNullException.ThrowIfNull(to);
        Guard.SameShape(from, to);
        if (!(share >= 0 && share <= 1))
        {
            throw new ArgumentOutOfRangeException(nameof(share), share, "The share must be in [0, 1].");
        }

        using var scope = NewDisposeScope();
        var (a, b) = (from.to(ScalarType.Float64).flatten(1), to.to(ScalarType.Float64).flatten(1)); // [B, …] → [B, N]
        var cosine = (a * b).sum(1, keepdim: true) / ((a * a).sum(1, keepdim: true) * (b * b).sum(1, keepdim: true)).sqrt();
        var angle = cosine.acos();
        using var nearlyParallel = NearlyParallel.ToScalar();
        using var ofFrom = (1 - share).ToScalar();
        using var ofTo = share.ToScalar();
        var arc = cosine.abs() < nearlyParallel; // false where it is NaN
        var first = where(arc, (angle * ofFrom).sin() / angle.sin(), full_like(angle, ofFrom));
        var second = where(arc, (angle * ofTo).sin() / angle.sin(), full_like(angle, ofTo));
        return (first * a).Plus(second * b).view(from.shape).to(from.dtype).MoveToOuterDisposeScope();
    }

    /// <summary>Points along the arcs between the images of two batches, at equal distances, both ends included.</summary>
    /// <param name="from">[B, C, H, W], floating point.</param>
    /// <param name="to">The shape of <paramref name="from"/>.</param>
    /// <param name="points">Points on each arc, at least 2.</param>
    /// <returns>[B·points, C, H, W]: the points of the first arc, then those of the second, and so on; for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The shapes differ or are not those of images.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than two points.</exception>
    public static Tensor Path(Tensor from, Tensor to, int points)
    {
        TaskGuard.Images(from, nameof(from));
        ArgumentNullException.ThrowIfNull(to);
        ArgumentOutOfRangeException.ThrowIfLessThan(points, 2);
        using var scope = NewDisposeScope();
        var all = Enumerable.Range(0, points).Select(i => Slerp(from, to, (double)i / (points - 1))).ToArray();
        return stack(all, 1).flatten(0, 1).MoveToOuterDisposeScope(); // points × [B, C, H, W] → [B, points, C, H, W] → [B·points, C, H, W]
    }

    /// <summary>Images on the way between images: both are inverted, the noise is interpolated and sampled deterministically. The ends are the reconstructions.</summary>
    /// <param name="denoiser">The trained network; not limited (<see cref="Reconstruction"/>).</param>
    /// <param name="from">x₀ of one end, [B, C, H, W] in [−1, 1]; not changed.</param>
    /// <param name="to">x₀ of the other, the shape of <paramref name="from"/>.</param>
    /// <param name="points">Images on each way, both ends included, at least 2.</param>
    /// <param name="steps">The number of steps of inversion and of sampling; <see langword="null"/> for all T.</param>
    /// <param name="spacing">Where they lie; trailing by default.</param>
    /// <param name="progress">Receives the state after each step of inversion and of sampling.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>[B·points, C, H, W] on the denoiser's device: the images of the first way, then those of the second, and so on; for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The shapes differ or are not those of images.</exception>
    /// <exception cref="ArgumentOutOfRangeException">There are fewer than two points.</exception>
    public static Tensor Images(
        IDenoiser denoiser,
        Tensor from,
        Tensor to,
        int points,
        int? steps = null,
        StepSpacing? spacing = null,
        IProgress<(int Step, int Steps)>? progress = null,
        CancellationToken cancellationToken = default)
    {
        TaskGuard.Images(from, nameof(from));
        ArgumentNullException.ThrowIfNull(to);
        Guard.SameShape(from, to);
        ArgumentOutOfRangeException.ThrowIfLessThan(points, 2);
        using var scope = NewDisposeScope();
        var both = Reconstruction.Invert(denoiser, cat([from, to]), steps, spacing, progress, cancellationToken);
        var half = both.shape[0] / 2;
        var latents = Path(both.narrow(0, 0, half), both.narrow(0, half, half), points);
        return Reconstruction.Decode(denoiser, latents, steps, spacing, progress, cancellationToken).MoveToOuterDisposeScope();
    }
}
