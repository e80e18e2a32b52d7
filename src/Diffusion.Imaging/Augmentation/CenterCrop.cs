using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>Cuts out the middle of an image. Nothing about it is random: for images to compare with.</summary>
internal sealed class CenterCrop : Augmentation
{
    private readonly CropSize _size;

    /// <summary>Sets the size.</summary>
    /// <param name="height">The height of what is cut out in pixels, at least 1.</param>
    /// <param name="width">The width of what is cut out in pixels, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    public CenterCrop(int height, int width) => _size = new CropSize(height, width);

    /// <inheritdoc/>
    public override ImageShape ShapeOf(ImageShape shape) => _size.Within(shape, nameof(CenterCrop));

    /// <inheritdoc/>
    public override Tensor Apply(Tensor image, SeededRandom random) => ApplyPlain(image);

    /// <inheritdoc/>
    public override Tensor ApplyPlain(Tensor image) => _size.Middle(image);
}
