using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>A classifier of grey 28×28 images for images of another shape, which are made grey and resized as Pillow does it in 8 bits: <c>image.convert("L").resize((28, 28), Image.BICUBIC)</c>.</summary>
/// <param name="classifier">Owned by this.</param>
/// <param name="shape">The shape of the images.</param>
internal sealed class ConvertedClassifier(ImageClassifier classifier, ImageShape shape) : IImageClassifier
{
    private const int Side = ClassifierNetwork.Side;

    // The weights of ITU-R BT.601 in 16-bit fixed point, as Pillow and this library's folders of images have them.
    private const double Red = 19595;
    private const double Green = 38470;
    private const double Blue = 7471;
    private const double One = 1 << 16; // their sum

    /// <inheritdoc/>
    public string Name { get; } = $"{classifier.Name} grey {Side}x{Side} {ImageResizing.PillowBicubicEightBit}";

    /// <inheritdoc/>
    public int Features => classifier.Features;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => classifier.ClassNames;

    /// <inheritdoc/>
    public Tensor Extract(Tensor images)
    {
        using var converted = Convert(images);
        return classifier.Extract(converted);
    }

    /// <inheritdoc/>
    public (Tensor Features, Tensor Logits) Classify(Tensor images)
    {
        using var converted = Convert(images);
        return classifier.Classify(converted);
    }

    /// <inheritdoc/>
    public void Dispose() => classifier.Dispose();

    private Tensor Convert(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (images.dtype != ScalarType.Byte || images.dim() != 4 || images.shape[0] == 0 || !images.shape.AsSpan().SequenceEqual(shape.Batch(images.shape[0])))
        {
            throw new ArgumentException($"images is {images.dtype} [{string.Join(", ", images.shape)}]; uint8 of [B, {shape.Channels}, {shape.Height}, {shape.Width}] is needed, 0 to 255, with B at least 1.", nameof(images));
        }

        using var scope = NewDisposeScope();
        return ImageResize.To(shape.Channels == 1 ? images : Grey(images), Side, Side, ImageResizing.PillowBicubicEightBit).MoveToOuterDisposeScope();
    }

    private static Tensor Grey(Tensor colours)
    {
        using var weights = tensor([Red, Green, Blue], dtype: ScalarType.Float64).view(1, 3, 1, 1);
        using var one = One.ToScalar();
        return colours.cpu().to(ScalarType.Float64).mul_(weights).sum(1, keepdim: true).div_(one).Plus(Scalars.Half).floor_().to(ScalarType.Byte);
    }
}
