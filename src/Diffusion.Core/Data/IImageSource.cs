using System.Collections.ObjectModel;

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

    /// <summary>The names of the classes, by label: one for each, or none (default). Checkpoints keep them, and a run is not resumed on other ones.</summary>
    IReadOnlyList<string> ClassNames => [];

    /// <summary>
    /// The label of every image, by index, known without reading any; <see langword="null"/> (default) where the images have no labels or the
    /// source knows them only from reading. <see cref="ImageOrder.ClassBalanced"/> needs it.
    /// </summary>
    IReadOnlyList<long>? Labels => null;

    /// <summary>
    /// What tells these images from others, part by part: the names of the files, for example, and a hash of them. Checkpoints keep it, and a run is not resumed on images of which a part has another value, unless
    /// <see cref="CheckpointOptions.OtherImages"/> allows it. It is the same wherever the images lie, so without absolute paths and times, and does not read them all. Empty (default): the trainer compares
    /// <see cref="Count"/>, <see cref="Classes"/>, <see cref="ClassNames"/> and <see cref="Labels"/> alone.
    /// </summary>
    IReadOnlyDictionary<string, string> Fingerprint => ReadOnlyDictionary<string, string>.Empty;

    /// <summary>
    /// The range of the values, which is checked, with a thousandth of it for rounding; [−1, 1] by default, that of images. <see langword="null"/> for values of any size, such as latents.
    /// </summary>
    (double Min, double Max)? Range => (-1, 1);

    /// <summary>Reads images. May be called from any thread, but not from two at once.</summary>
    /// <param name="indices">Which images, each in [0, <see cref="Count"/>); the batch is in this order.</param>
    /// <returns>A batch on the CPU that the caller disposes.</returns>
    /// <exception cref="IOException">An image can no longer be read; the message names it.</exception>
    ImageBatch Read(ReadOnlySpan<int> indices);

    /// <summary>
    /// Reads images for training. A source whose images vary from draw to draw, by augmentation for example, implements it; by default it is
    /// <see cref="Read(ReadOnlySpan{int})"/>. May be called from any thread, but not from two at once.
    /// </summary>
    /// <param name="indices">Which images, each in [0, <see cref="Count"/>); the batch is in this order.</param>
    /// <param name="seeds">One for each image: what varies is a function of the image and its seed, and of nothing else of the batch.</param>
    /// <returns>A batch on the CPU that the caller disposes.</returns>
    /// <exception cref="IOException">An image can no longer be read; the message names it.</exception>
    ImageBatch Read(ReadOnlySpan<int> indices, ReadOnlySpan<long> seeds) => Read(indices);
}
