using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>Turns square images by 0, 90, 180 or 270 degrees, all equally likely.</summary>
internal sealed class QuarterTurns : Augmentation
{
    private const int Turns = 4;

    /// <inheritdoc/>
    public override ImageShape ShapeOf(ImageShape shape) => shape.Height == shape.Width
        ? shape
        : throw new ArgumentException($"{nameof(QuarterTurns)} needs square images; they are {shape}.", nameof(shape));

    /// <inheritdoc/>
    public override Tensor Apply(Tensor image, SeededRandom random) => random.Next(Turns) switch
    {
        0 => image,
        1 => image.transpose(1, 2).flip(1), // counter-clockwise
        2 => image.flip(1, 2),
        _ => image.transpose(1, 2).flip(2),
    };
}
