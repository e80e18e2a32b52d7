using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The arithmetic of the forward and of the reverse process, without a network: x₀ → x_t, and x_t with predicted noise → x_{t−1}.</summary>
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
public class ProcessBenchmarks : DeviceSuite
{
    private const int Timestep = 500;

    private readonly LinearNoiseSchedule _schedule = new();
    private EagerSchedule _eager = null!;
    private long[] _timesteps = null!;
    private Tensor _tensorTimesteps = null!;
    private Tensor _images = null!;
    private Tensor _noise = null!;

    /// <summary>The height and width.</summary>
    public static IEnumerable<int> Sizes => SuiteParameters.Some(28, 64);

    /// <inheritdoc/>
    public override IEnumerable<int> Batches => SuiteParameters.Some(64, 1);

    /// <inheritdoc/>
    public override IEnumerable<NumberFormat> Formats => NumberFormats.All;

    /// <summary>The height and width of the images.</summary>
    [ParamsSource(nameof(Sizes))]
    public int Size { get; set; }

    /// <summary>Images of 3 channels and their noise.</summary>
    [GlobalSetup]
    public void Setup()
    {
        using var generator = new Generator(1, CPU);
        var type = Format == NumberFormat.Fp32 ? ScalarType.Float32 : ScalarType.BFloat16;
        _eager = new EagerSchedule(Target);
        _images = randn([Batch, 3, Size, Size], generator: generator).to(type).to(Target);
        _noise = randn([Batch, 3, Size, Size], generator: generator).to(type).to(Target);
        _timesteps = [.. Enumerable.Range(0, Batch).Select(i => (long)i * 15)];
        _tensorTimesteps = tensor(_timesteps, device: Target);
    }

    /// <summary>Tables of tensors, a timestep of its own for each image.</summary>
    [Benchmark(Baseline = true)]
    [BenchmarkCategory("forward")]
    public void EagerForward()
    {
        using var noisy = _eager.AddNoise(_images, _noise, _tensorTimesteps);
        Synchronize();
    }

    /// <summary>A timestep of its own for each image.</summary>
    [Benchmark]
    [BenchmarkCategory("forward")]
    public void Forward()
    {
        using var noisy = _schedule.AddNoise(_images, _noise, _timesteps);
        Synchronize();
    }

    /// <summary>x̂₀, clipping, posterior, fresh noise.</summary>
    [Benchmark(Baseline = true)]
    [BenchmarkCategory("reverse")]
    public void EagerReverse()
    {
        using var step = _eager.Reverse(_images, _noise, Timestep);
        Synchronize();
    }

    /// <summary>The same.</summary>
    [Benchmark]
    [BenchmarkCategory("reverse")]
    public void Reverse()
    {
        using var noise = randn(_images.shape, _images.dtype, Target);
        using var step = _schedule.Reverse(_images, _noise, Timestep, noise);
        Synchronize();
    }

    /// <summary>Frees the tensors.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _tensorTimesteps.Dispose();
        _noise.Dispose();
        _images.Dispose();
        _eager.Dispose();
    }
}
