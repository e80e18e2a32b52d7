namespace Diffusion.Sample;

/// <summary>Some images of a source, which stays its owner's.</summary>
internal sealed class SpreadImages : IImageSource
{
    private readonly IImageSource _source;
    private readonly int[] _chosen;

    private SpreadImages(IImageSource source, int[] chosen)
    {
        (_source, _chosen) = (source, chosen);
        Labels = source.Labels is { } labels ? Array.ConvertAll(chosen, i => labels[i]) : null;
    }

    public string Name => _source.Name;

    public int Count => _chosen.Length;

    public ImageShape Shape => _source.Shape;

    public int Classes => _source.Classes;

    public IReadOnlyList<string> ClassNames => _source.ClassNames;

    public IReadOnlyList<long>? Labels { get; }

    public (double Min, double Max)? Range => _source.Range;

    /// <summary>Holds images back that are evenly spread over a source: where that has one class after the other, each class in proportion.</summary>
    /// <param name="source">Images with labels, of named classes.</param>
    /// <param name="heldOut">How many.</param>
    /// <param name="option">What says how many.</param>
    /// <returns>The others, and those.</returns>
    /// <exception cref="UsageException">There are not enough images, or a class has no other.</exception>
    public static (IImageSource Training, IImageSource HeldOut) Split(IImageSource source, int heldOut, string option)
    {
        if (heldOut < 1 || heldOut >= source.Count)
        {
            throw new UsageException($"{option} must be at least 1 and at most {source.Count - 1}, for '{source.Name}' has {source.Count} images; it is {heldOut}.");
        }

        int[] held = [.. Enumerable.Range(0, heldOut).Select(i => (int)(((2L * i) + 1) * source.Count / (2L * heldOut)))];
        var (training, kept) = (new SpreadImages(source, [.. Enumerable.Range(0, source.Count).Except(held)]), new SpreadImages(source, held));
        var missing = Enumerable.Range(0, source.Classes).Where(label => !training.Labels!.Contains(label)).Select(label => $"'{source.ClassNames[label]}'").ToArray();
        return missing.Length == 0
            ? (training, kept)
            : throw new UsageException($"Of {string.Join(", ", missing)} no image is left to train on: {heldOut} of {source.Count} are held back ({option}). Give more images of each class{(heldOut > 1 ? ", or hold fewer back" : "")}.");
    }

    public ImageBatch Read(ReadOnlySpan<int> indices) => _source.Read(InSource(indices));

    public ImageBatch Read(ReadOnlySpan<int> indices, ReadOnlySpan<long> seeds) => _source.Read(InSource(indices), seeds);

    public void Dispose()
    {
    }

    private int[] InSource(ReadOnlySpan<int> indices) => Array.ConvertAll(indices.ToArray(), index => _chosen[index]);
}
