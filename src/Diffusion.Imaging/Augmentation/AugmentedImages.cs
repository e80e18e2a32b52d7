using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>
/// The images of another source, changed anew every time they are drawn. What happens to an image is a function of the image and its seed:
/// the trainer gives every image of every step a seed of its own, which is the same in a run that is resumed.
/// </summary>
public sealed class AugmentedImages : IImageSource
{
    private readonly Augmentation[] _augmentations;

    /// <summary>Wraps a source.</summary>
    /// <param name="source">The images; disposed with this.</param>
    /// <param name="augmentations">What is done to each image, in this order.</param>
    /// <exception cref="ArgumentException">An augmentation does not fit the shape of its images.</exception>
    public AugmentedImages(IImageSource source, params IEnumerable<Augmentation> augmentations)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(augmentations);
        (Source, _augmentations) = (source, [.. augmentations.Select(each => each.Within(source.Range))]);
        Shape = _augmentations.Aggregate(source.Shape, (shape, augmentation) => augmentation.ShapeOf(shape));
    }

    /// <summary>The images as they are; disposed with this.</summary>
    public IImageSource Source { get; }

    /// <inheritdoc/>
    public string Name => Source.Name;

    /// <inheritdoc/>
    public int Count => Source.Count;

    /// <summary>The shape of every image after the augmentations.</summary>
    public ImageShape Shape { get; }

    /// <inheritdoc/>
    public int Classes => Source.Classes;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => Source.ClassNames;

    /// <inheritdoc/>
    public IReadOnlyList<long>? Labels => Source.Labels;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Fingerprint => Source.Fingerprint;

    /// <inheritdoc/>
    public (double Min, double Max)? Range => Source.Range;

    /// <summary>The images in the shape that the augmentations give, but with nothing random: parts are cut from the middle.</summary>
    /// <inheritdoc/>
    /// <exception cref="InvalidDataException">The source gave images of another type than Float32, or values outside its range; the message names it.</exception>
    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        using var batch = ReadSource(indices, null);
        return Change(batch, (augmentation, _, image) => augmentation.ApplyPlain(image));
    }

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">There are more or fewer seeds than indices.</exception>
    /// <exception cref="InvalidDataException">The source gave images of another type than Float32, or values outside its range; the message names it.</exception>
    public ImageBatch Read(ReadOnlySpan<int> indices, ReadOnlySpan<long> seeds)
    {
        if (seeds.Length != indices.Length)
        {
            throw new ArgumentException($"seeds has {seeds.Length} elements; one for each of the {indices.Length} indices is needed.", nameof(seeds));
        }

        // The first number of each image's sequence is for the source, the others for its augmentations.
        var random = Array.ConvertAll(seeds.ToArray(), seed => new SeededRandom(seed));
        using var batch = ReadSource(indices, Array.ConvertAll(random, each => each.NextSeed()));
        return Change(batch, (augmentation, i, image) => augmentation.Apply(image, random[i]));
    }

    /// <inheritdoc/>
    public void Dispose() => Source.Dispose();

    /// <summary>Under its lock: the source may be read by itself at the same time.</summary>
    private ImageBatch ReadSource(ReadOnlySpan<int> indices, long[]? seeds)
    {
        ImageBatch batch;
        lock (Source)
        {
            batch = seeds is null ? Source.Read(indices) : Source.Read(indices, seeds);
        }

        try
        {
            SourceCheck.Values(Source, batch, indices); // before anything is changed: afterwards it would not be seen
            return batch;
        }
        catch
        {
            batch.Dispose();
            throw;
        }
    }

    private ImageBatch Change(ImageBatch batch, Func<Augmentation, int, Tensor, Tensor> apply)
    {
        using var scope = NewDisposeScope();
        var count = (int)batch.Images.shape[0];
        var images = empty(Shape.Batch(count), dtype: ScalarType.Float32);
        for (var i = 0; i < count; i++)
        {
            var image = _augmentations.Aggregate(batch.Images[i], (each, augmentation) => apply(augmentation, i, each));
            if (!image.shape.AsSpan().SequenceEqual([Shape.Channels, Shape.Height, Shape.Width]))
            {
                throw new InvalidOperationException($"The augmentations of '{Name}' gave an image of shape [{string.Join(", ", image.shape)}]; they announced {Shape}.");
            }

            images[i].copy_(image);
        }

        return new ImageBatch(images.DetachFromDisposeScope(), batch.Labels?.clone().DetachFromDisposeScope(), batch.Context?.clone().DetachFromDisposeScope());
    }
}
