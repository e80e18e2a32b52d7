namespace Diffusion;

/// <summary>
/// A fixed collection of images that can be read in any order. The source does not shuffle: the trainer asks for the images of a
/// step by index, so that the order is a function of the seed and the step alone and a resumed run reads what an undisturbed one would.
/// </summary>
public interface IImageSource : IDisposable
{
    /// <summary>What the source is, for messages: a path, for example.</summary>
    string Name { get; }

    /// <summary>The number of images, at least 1.</summary>
    int Count { get; }

    /// <summary>The shape of every image.</summary>
    ImageShape Shape { get; }

    /// <summary>The number of classes, or 0 where the images have no labels. Labels are in [0, Classes).</summary>
    int Classes { get; }

    /// <summary>Reads images. May be called from any thread, but not from two at once.</summary>
    /// <param name="indices">Which images, each in [0, <see cref="Count"/>); the batch is in this order.</param>
    /// <returns>A batch on the CPU that the caller disposes.</returns>
    /// <exception cref="IOException">An image can no longer be read; the message names it.</exception>
    ImageBatch Read(ReadOnlySpan<int> indices);
}
