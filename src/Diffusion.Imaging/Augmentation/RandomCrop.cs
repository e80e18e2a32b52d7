using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>Cuts a part of one size out of an image at least as large, all places equally likely; with nothing random, the middle.</summary>
internal sealed class RandomCrop : Augmentation
{
    private readonly CropSize _size;

    /// <summary>Sets the size.</summary>
    /// <param name="height">The height of what is cut out in pixels, at least 1.</param>
    /// <param name="width">The width of what is cut out in pixels, at least 1.</param>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    public RandomCrop(int height, int width) => _size = new CropSize(height, width);

    /// <inheritdoc/>
    public override ImageShape ShapeOf(ImageShape shape) => _size.Within(shape, nameof(RandomCrop));

    /// <inheritdoc/>
    public override Tensor Apply(Tensor image, SeededRandom random)
    {
        var top = random.Next((int)image.shape[1] - _size.Height + 1);
        var left = random.Next((int)image.shape[2] - _size.Width + 1);
        return _size.At(image, top, left);
    }

    /// <inheritdoc/>
    public override Tensor ApplyPlain(Tensor image) => _size.Middle(image);
}
