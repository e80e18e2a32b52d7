using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>A source whose images are distorted while they are read for training. The source stays its owner's.</summary>
internal sealed class DistortedImages(IImageSource source, double strength) : IImageSource
{
    /// <inheritdoc/>
    public string Name => source.Name;

    /// <inheritdoc/>
    public int Count => source.Count;

    /// <inheritdoc/>
    public ImageShape Shape => source.Shape;

    /// <inheritdoc/>
    public int Classes => source.Classes;

    /// <inheritdoc/>
    public IReadOnlyList<string> ClassNames => source.ClassNames;

    /// <inheritdoc/>
    public IReadOnlyList<long>? Labels => source.Labels;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Fingerprint => source.Fingerprint;

    /// <inheritdoc/>
    public (double Min, double Max)? Range => source.Range;

    /// <inheritdoc/>
    public ImageBatch Read(ReadOnlySpan<int> indices) => ReadSource(indices, null);

    /// <inheritdoc/>
    public ImageBatch Read(ReadOnlySpan<int> indices, ReadOnlySpan<long> seeds)
    {
        // The first number of each image's sequence is for the source, the others for its distortion.
        var random = Array.ConvertAll(seeds.ToArray(), seed => new SeededRandom(seed));
        var own = Array.ConvertAll(random, each => each.NextSeed());
        if (strength == 0)
        {
            return ReadSource(indices, own);
        }

        using var scope = NewDisposeScope();
        using var batch = ReadSource(indices, own);
        var plain = batch.Images.data<float>().ToArray();
        var distorted = new float[plain.Length];
        var plane = Shape.Height * Shape.Width;
        for (var i = 0; i < random.Length; i++)
        {
            ElasticDistortion.Apply(plain.AsSpan(i * plane, plane), Shape.Height, Shape.Width, strength, random[i], distorted.AsSpan(i * plane, plane));
        }

        return new ImageBatch(tensor(distorted, batch.Images.shape).DetachFromDisposeScope(), batch.Labels?.clone().DetachFromDisposeScope());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }

    /// <summary>Under its lock: the source may be read by itself at the same time.</summary>
    private ImageBatch ReadSource(ReadOnlySpan<int> indices, long[]? seeds)
    {
        lock (source)
        {
            return seeds is null ? source.Read(indices) : source.Read(indices, seeds);
        }
    }
}
