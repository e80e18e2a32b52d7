using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>A random change of an image that leaves it a good example, applied anew every time the image is drawn. Immutable; from any thread. Derive from it to plug in one of your own.</summary>
public abstract class Augmentation
{
    /// <summary>Mirrors every other image, at random, left to right.</summary>
    /// <returns>The augmentation.</returns>
    public static Augmentation HorizontalFlip() => new HorizontalFlip();

    /// <summary>Mirrors every other image, at random, top to bottom.</summary>
    /// <returns>The augmentation.</returns>
    public static Augmentation VerticalFlip() => new VerticalFlip();

    /// <summary>Turns square images by 0, 90, 180 or 270 degrees, all equally likely.</summary>
    /// <returns>The augmentation.</returns>
    public static Augmentation QuarterTurns() => new QuarterTurns();

    /// <summary>Cuts out the middle of an image. Nothing about it is random: for images to compare with.</summary>
    /// <param name="height">The height of what is cut out in pixels, at least 1.</param>
    /// <param name="width">The width of what is cut out in pixels, at least 1.</param>
    /// <returns>The augmentation.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    public static Augmentation CenterCrop(int height, int width) => new CenterCrop(height, width);

    /// <summary>Cuts a part of one size out of an image at least as large, all places equally likely; with nothing random, the middle.</summary>
    /// <param name="height">The height of what is cut out in pixels, at least 1.</param>
    /// <param name="width">The width of what is cut out in pixels, at least 1.</param>
    /// <returns>The augmentation.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A size is less than 1.</exception>
    public static Augmentation RandomCrop(int height, int width) => new RandomCrop(height, width);

    /// <summary>
    /// Cuts out a part of random size and place and brings it to one size, without aliasing. The part has the aspect ratio of the result, so
    /// nothing is distorted. With nothing random, the largest such part in the middle. Values stay in the <see cref="IImageSource.Range"/> of the source.
    /// </summary>
    /// <remarks>The random crops of "Going Deeper with Convolutions", arXiv:1409.4842, section 6, without their change of the aspect ratio.</remarks>
    /// <param name="height">The height of the result in pixels, at least 1.</param>
    /// <param name="width">The width of the result in pixels, at least 1.</param>
    /// <param name="smallest">The smallest area of a part, as a share of the largest part that fits, in (0, 1].</param>
    /// <param name="largest">The largest area of a part, as a share of the largest part that fits, in [<paramref name="smallest"/>, 1].</param>
    /// <returns>The augmentation.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A number is outside its range.</exception>
    public static Augmentation RandomResizedCrop(int height, int width, double smallest = 0.5, double largest = 1) => new RandomResizedCrop(height, width, smallest, largest);

    /// <summary>The shape of what comes out; by default that of what goes in.</summary>
    /// <param name="shape">The shape of the images that go in.</param>
    /// <returns>The shape of every result.</returns>
    /// <exception cref="ArgumentException">Images of this shape cannot be changed so.</exception>
    public virtual ImageShape ShapeOf(ImageShape shape) => shape;

    /// <summary>Changes one image. What is made besides the result is disposed by the caller's dispose scope.</summary>
    /// <param name="image">Float32, [C, H, W], on the CPU; not written to.</param>
    /// <param name="random">Everything random comes from it.</param>
    /// <returns>Float32, of the shape <see cref="ShapeOf"/>; may be a view of the image.</returns>
    public abstract Tensor Apply(Tensor image, SeededRandom random);

    /// <summary>The image in the shape of a result, with nothing random: by default as it is.</summary>
    /// <param name="image">Float32, [C, H, W], on the CPU; not written to.</param>
    /// <returns>Float32, of the shape <see cref="ShapeOf"/>; may be a view of the image.</returns>
    public virtual Tensor ApplyPlain(Tensor image) => image;

    /// <summary>The same augmentation of images whose values lie in a range; <see langword="null"/> for any.</summary>
    internal virtual Augmentation Within((double Min, double Max)? range) => this;
}
