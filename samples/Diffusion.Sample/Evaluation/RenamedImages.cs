namespace Diffusion.Sample;

/// <summary>Images under a name without the folders of this machine, for reports that are passed on. Owns the source.</summary>
internal sealed class RenamedImages(IImageSource source) : IImageSource
{
    public string Name { get; } = SharedPaths.Name(source.Name);

    public int Count => source.Count;

    public ImageShape Shape => source.Shape;

    public int Classes => source.Classes;

    public IReadOnlyList<string> ClassNames => source.ClassNames;

    public IReadOnlyList<long>? Labels => source.Labels;

    public IReadOnlyDictionary<string, string> Fingerprint => source.Fingerprint;

    public (double Min, double Max)? Range => source.Range;

    public ImageBatch Read(ReadOnlySpan<int> indices) => source.Read(indices);

    public ImageBatch Read(ReadOnlySpan<int> indices, ReadOnlySpan<long> seeds) => source.Read(indices, seeds);

    public void Dispose() => source.Dispose();
}
