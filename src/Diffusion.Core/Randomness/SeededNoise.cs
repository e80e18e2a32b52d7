using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Noise in which image <c>i</c> of a run depends on the seed and <c>i</c> only: it is the same to the bit whether the images are made
/// one by one or 64 at a time. Drawn on the CPU, so that it is also the same on every device.
/// </summary>
internal sealed class SeededNoise : NoiseSource
{
    private readonly long _seed;
    private readonly long _firstImage;
    private Generator[] _generators = [];

    /// <summary>Starts at the first draw.</summary>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="firstImage">The number, within the run, of the first image of the batch; 0 by default.</param>
    public SeededNoise(long seed, long firstImage = 0)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(firstImage);
        _seed = seed;
        _firstImage = firstImage;
    }

    /// <inheritdoc/>
    public override Tensor Draw(ReadOnlySpan<long> shape, Device device)
    {
        if (_generators.Length == 0)
        {
            _generators = [.. Enumerable.Range(0, checked((int)shape[0])).Select(NewGenerator)];
        }
        else if (_generators.Length != shape[0])
        {
            throw new ArgumentException($"The batch of a run keeps its size; it was {_generators.Length} and is {shape[0]} now.", nameof(shape));
        }

        using var scope = NewDisposeScope();
        var one = shape[1..].ToArray();
        var images = new Tensor[_generators.Length];
        for (var i = 0; i < images.Length; i++)
        {
            images[i] = randn(one, ScalarType.Float32, generator: _generators[i]);
        }

        return stack(images).to(device).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        foreach (var generator in _generators)
        {
            generator.Dispose();
        }

        _generators = [];
        base.Dispose(disposing);
    }

    private Generator NewGenerator(int image) => new(SeedMixer.Mix(_seed, SeedMixer.Purpose.Sampling, _firstImage + image), CPU);
}
