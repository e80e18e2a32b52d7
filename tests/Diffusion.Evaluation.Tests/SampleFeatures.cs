using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>Features to test with.</summary>
internal static class SampleFeatures
{
    /// <summary>Normally distributed features, [count, size], float64, the mean of each being <paramref name="shift"/>.</summary>
    public static Tensor Normal(int count, int size, long seed, double shift = 0)
    {
        var random = new SeededRandom(seed);
        var values = new double[count * size];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = shift + (Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()));
        }

        using var flat = tensor(values, dtype: ScalarType.Float64);
        return flat.reshape(count, size);
    }

    /// <summary>Whole numbers in [0, levels), [count, size], so that distances tie.</summary>
    public static Tensor Whole(int count, int size, int levels, long seed)
    {
        var random = new SeededRandom(seed);
        using var flat = tensor([.. Enumerable.Range(0, count * size).Select(_ => (float)random.Next(levels))], dtype: ScalarType.Float32);
        return flat.reshape(count, size);
    }

    /// <summary>Images of random pixels, [count, 1, side, side], uint8.</summary>
    public static Tensor Images(int count, int side, long seed)
    {
        var random = new SeededRandom(seed);
        using var flat = tensor([.. Enumerable.Range(0, count * side * side).Select(_ => (byte)random.Next(256))], dtype: ScalarType.Byte);
        return flat.reshape(count, 1, side, side);
    }

    /// <summary>The rows as numbers.</summary>
    public static double[][] Rows(Tensor features)
    {
        using var values = features.to(ScalarType.Float64);
        var all = values.data<double>().ToArray();
        return [.. all.Chunk((int)features.shape[1])];
    }

    /// <summary>Σ (a − b)², one by one.</summary>
    public static double SquaredDistance(double[] a, double[] b) => a.Zip(b, (x, y) => (x - y) * (x - y)).Sum();

    /// <summary>Runs work once with each of some numbers of libtorch's threads.</summary>
    public static T[] WithThreads<T>(Func<T> work, params int[] threads)
    {
        var before = get_num_threads();
        try
        {
            return [.. threads.Select(count =>
            {
                set_num_threads(count);
                return work();
            })];
        }
        finally
        {
            set_num_threads(before);
        }
    }
}
