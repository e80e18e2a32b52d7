namespace Diffusion.Evaluation;

/// <summary>Consecutive images of a source, which stays its owner's.</summary>
internal sealed class ImageRange(IImageSource source, int first, int count) : IImageSource
{
    /// <inheritdoc/>
    public string Name { get; } = $"{source.Name}, images {first} to {first + count - 1}";

    /// <inheritdoc/>
    public int Count => count;

    /// <inheritdoc/>
    public ImageShape Shape => source.Shape;

    /// <inheritdoc/>
    public int Classes => source.Classes;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => source.ClassNames;

    /// <inheritdoc/>
    public IReadOnlyList<long>? Labels { get; } = source.Labels?.Skip(first).Take(count).ToArray();

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Fingerprint => new Dictionary<string, string>(source.Fingerprint) { ["images"] = $"{first} to {first + count - 1}" };

    /// <inheritdoc/>
    public (double Min, double Max)? Range => source.Range;

    /// <inheritdoc/>
    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        var inSource = InSource(indices);
        lock (source)
        {
            return source.Read(inSource);
        }
    }

    /// <inheritdoc/>
    public ImageBatch Read(ReadOnlySpan<int> indices, ReadOnlySpan<long> seeds)
    {
        var inSource = InSource(indices);
        lock (source)
        {
            return source.Read(inSource, seeds);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    private int[] InSource(ReadOnlySpan<int> indices)
    {
        foreach (var index in indices)
        {
            if ((uint)index >= (uint)count)
            {
                throw new ArgumentOutOfRangeException(nameof(indices), index, $"indices holds {index}; {Name} has {count} images, so an index is in [0, {count}).");
            }
        }

        return Array.ConvertAll(indices.ToArray(), index => first + index);
    }
}
