using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>A random change of an image that leaves it a good example, applied anew every time the image is drawn. Immutable; from any thread.</summary>
public abstract class Augmentation
{
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
}
