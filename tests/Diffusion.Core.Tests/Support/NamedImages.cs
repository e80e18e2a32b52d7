using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Grey 1×4×4 images of named classes.</summary>
internal sealed class NamedImages(IReadOnlyList<string> classNames, IReadOnlyList<long>? labels = null, IReadOnlyDictionary<string, string>? fingerprint = null) : IImageSource
{
    private readonly IReadOnlyList<long> _labels = labels ?? [.. Enumerable.Range(0, 12).Select(i => (long)(i % 3))];

    public string Name => "named";

    public int Count => _labels.Count;

    public ImageShape Shape => new(1, 4, 4);

    public int Classes { get; init; } = 3;

    public IReadOnlyList<string> ClassNames => classNames;

    public IReadOnlyList<long>? Labels => _labels;

    public IReadOnlyDictionary<string, string> Fingerprint => fingerprint ?? new Dictionary<string, string>();

    public ImageBatch Read(ReadOnlySpan<int> indices) => new(zeros(Shape.Batch(indices.Length)), tensor(Array.ConvertAll(indices.ToArray(), i => _labels[i])));

    public void Dispose()
    {
    }
}
