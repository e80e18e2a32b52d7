using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>What a classifier's network takes: [B, 1, 28, 28], float32, 0 to 1.</summary>
internal static class ClassifierInput
{
    private const int Side = ClassifierNetwork.Side;

    /// <summary>Of bytes.</summary>
    public static Tensor OfBytes(Tensor images)
    {
        using var white = 255.ToScalar();
        return images.to(ScalarType.Float32).div_(white);
    }

    /// <summary>Of floats in [−1, 1].</summary>
    public static Tensor OfFloats(Tensor images) => images.Plus(Scalars.One).mul_(Scalars.Half);

    /// <summary>Throws where images are no [B, 1, 28, 28] of uint8.</summary>
    public static void CheckBytes(Tensor images, string name)
    {
        ArgumentNullException.ThrowIfNull(images, name);
        if (images.dtype != ScalarType.Byte || images.dim() != 4 || !images.shape.AsSpan(1).SequenceEqual([1, Side, Side]) || images.shape[0] == 0)
        {
            throw new ArgumentException($"{name} is {images.dtype} [{string.Join(", ", images.shape)}]; a classifier needs uint8 of [B, 1, {Side}, {Side}], 0 to 255, with B at least 1.", name);
        }
    }

    /// <summary>Throws where a source has no grey 28×28 images with labels.</summary>
    public static void CheckSource(IImageSource images, string name)
    {
        if (images.Shape != new ImageShape(1, Side, Side))
        {
            throw new ArgumentException($"'{images.Name}' has images of {images.Shape}; a classifier needs {new ImageShape(1, Side, Side)}.", name);
        }

        if (EightBitImages.RangeProblem(images) is { } problem)
        {
            throw new ArgumentException(problem, name);
        }

        if (images.Classes < 2)
        {
            throw new ArgumentException($"'{images.Name}' has {images.Classes} classes; a classifier needs labels of at least 2.", name);
        }
    }
}
