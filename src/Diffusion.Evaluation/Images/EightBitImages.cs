using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// Images as files hold them: 8 bits. What is compared with images of files has to be rounded like them; a model's floats are not, and features see it. The bytes are those that this library's image files have.
/// Images are clipped and never stretched to their own smallest and largest value.
/// </summary>
public static class EightBitImages
{
    /// <summary>Images as bytes: 127.5·(x + 1), rounded to the nearest, halves to even, and clipped to 0 to 255.</summary>
    /// <param name="images">Images in [−1, 1], of any shape, a floating type, on any device. What is outside is clipped, infinities too. It is not disposed.</param>
    /// <returns>uint8, of the same shape, on the same device, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The images have no floating type, or a NaN.</exception>
    public static Tensor From(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (!images.is_floating_point())
        {
            throw new ArgumentException($"The images are {images.dtype}; a floating type with values in [−1, 1] is needed.", nameof(images));
        }

        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var bad = images.isnan().sum().item<long>();
        if (bad > 0)
        {
            throw new ArgumentException($"The images [{string.Join(", ", images.shape)}] have {bad} NaN of {images.numel()} values.", nameof(images));
        }

        using var half = 127.5.ToScalar();
        using var max = 255.ToScalar();
        return images.to(ScalarType.Float32).Plus(Scalars.One).mul_(half).round_().clamp_(Scalars.Zero, max).to(ScalarType.Byte).MoveToOuterDisposeScope();
    }

    /// <summary>Bytes as images: x/127.5 − 1. <see cref="From"/> gives the same bytes again.</summary>
    /// <param name="images">uint8, 0 to 255, of any shape, on any device. It is not disposed.</param>
    /// <returns>float32 in [−1, 1], of the same shape, on the same device, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The images are not uint8.</exception>
    public static Tensor ToFloat(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.dtype != ScalarType.Byte)
        {
            throw new ArgumentException($"The images are {images.dtype}; uint8 is needed.", nameof(images));
        }

        using var scope = NewDisposeScope();
        using var half = 127.5.ToScalar();
        return images.to(ScalarType.Float32).div_(half).sub_(Scalars.One).MoveToOuterDisposeScope();
    }

    /// <summary>Why the images of a source cannot become bytes, as a sentence; <see langword="null"/> where they can.</summary>
    internal static string? RangeProblem(IImageSource images) => images.Range is (-1, 1)
        ? null
        : $"'{images.Name}' has values {(images.Range is var (min, max) ? FormattableString.Invariant($"in [{min}, {max}]") : "of any size")}, and images in [−1, 1] are needed.";
}
