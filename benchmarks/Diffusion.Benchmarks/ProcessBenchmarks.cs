using BenchmarkDotNet.Attributes;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The forward and the reverse step on the GPU where there is one, else on the CPU.</summary>
public class ProcessBenchmarks
{
    private readonly LinearNoiseSchedule _schedule = new();
    private readonly long[] _timesteps = [.. Enumerable.Range(0, 64).Select(i => (long)i * 15)];
    private Tensor _images = null!;
    private Tensor _noise = null!;

    /// <summary>The height and width of the images.</summary>
    [Params(28, 64)]
    public int Size { get; set; }

    /// <summary>64 images and their noise.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var device = cuda.is_available() ? CUDA : CPU;
        using var generator = new Generator(1);
        _images = randn([64, 3, Size, Size], generator: generator).to(device);
        _noise = randn([64, 3, Size, Size], generator: generator).to(device);
    }

    /// <summary>x₀ → x_t, a timestep of its own for each image.</summary>
    [Benchmark(Baseline = true)]
    public void Forward()
    {
        using var noisy = _schedule.AddNoise(_images, _noise, _timesteps);
        Synchronize();
    }

    /// <summary>x_t and predicted noise → x_{t−1}.</summary>
    [Benchmark]
    public void Reverse()
    {
        using var step = _schedule.Reverse(_images, _noise, 500, _noise);
        Synchronize();
    }

    /// <summary>Frees the tensors.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _images.Dispose();
        _noise.Dispose();
    }

    private static void Synchronize()
    {
        if (cuda.is_available())
        {
            cuda.synchronize();
        }
    }
}
