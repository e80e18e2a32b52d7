using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>1×4×4 images that say what was asked for: the index in the first pixel, the seed in the others. Watches that nobody reads at the same time as another.</summary>
internal sealed class DrawnImages(IReadOnlyList<long>? labels = null, int count = 10) : IImageSource
{
    private readonly List<int[]> _reads = [];
    private readonly List<long> _seeds = [];
    private int _readers;

    public string Name => "drawn";

    public int Count => count;

    public ImageShape Shape => new(1, 4, 4);

    public int Classes => labels is null ? 0 : (int)labels.Max() + 1;

    public IReadOnlyList<long>? Labels => labels;

    /// <summary>Called with the number of the read, before it.</summary>
    public Action<int> OnRead { get; init; } = _ => { };

    /// <summary>The indices of every read so far.</summary>
    public IReadOnlyList<int[]> Reads
    {
        get
        {
            lock (_reads)
            {
                return [.. _reads];
            }
        }
    }

    /// <summary>The seeds of every image read so far; not to be asked for while another thread reads.</summary>
    public IReadOnlyList<long> Seeds => _seeds;

    public ImageBatch Read(ReadOnlySpan<int> indices) => Read(indices, new long[indices.Length]);

    public ImageBatch Read(ReadOnlySpan<int> indices, ReadOnlySpan<long> seeds)
    {
        Assert.Equal(1, Interlocked.Increment(ref _readers));
        var number = Reads.Count;
        lock (_reads)
        {
            _reads.Add(indices.ToArray());
            _seeds.AddRange(seeds);
        }

        try
        {
            OnRead(number);
            var pixels = new float[indices.Length * 16];
            for (var i = 0; i < indices.Length; i++)
            {
                pixels.AsSpan(i * 16, 16).Fill((float)new SeededRandom(seeds[i]).NextDouble());
                pixels[i * 16] = indices[i] / (float)count;
            }

            return new ImageBatch(tensor(pixels, [indices.Length, 1, 4, 4]), labels is null ? null : tensor(Array.ConvertAll(indices.ToArray(), i => labels[i])));
        }
        finally
        {
            Interlocked.Decrement(ref _readers);
        }
    }

    public void Dispose()
    {
    }
}
