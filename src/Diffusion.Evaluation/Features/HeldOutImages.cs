namespace Diffusion.Evaluation;

/// <summary>
/// Training images that nothing is trained on, so that something can be chosen by them: the last ones of the source, in its own order. A network that is trained on the others of MNIST has the
/// configuration's <c>limit</c> 55,000.
/// </summary>
public static class HeldOutImages
{
    /// <summary>How many of MNIST's 60,000 training images are held back: 5,000.</summary>
    public const int Default = 5_000;

    /// <summary>Splits a source in two, which read from it; it stays its owner's, and is disposed after them.</summary>
    /// <param name="images">The training images.</param>
    /// <param name="count">How many are held back, at least 1 and fewer than there are.</param>
    /// <returns>All but the last images, and the last.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There are not enough images.</exception>
    public static (IImageSource Training, IImageSource HeldOut) Split(IImageSource images, int count = Default)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (count < 1 || count >= images.Count)
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, $"{count} of the images of '{images.Name}' are to be held back; it has {images.Count}, so at least 1 and at most {images.Count - 1} can be.");
        }

        return (new ImageRange(images, 0, images.Count - count), new ImageRange(images, images.Count - count, count));
    }
}
