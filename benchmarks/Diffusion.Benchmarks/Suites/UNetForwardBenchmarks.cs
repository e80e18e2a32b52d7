using BenchmarkDotNet.Attributes;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The reference network without gradients.</summary>
public class UNetForwardBenchmarks : NetworkSuite
{
    private readonly LinearNoiseSchedule _schedule = new();
    private IDenoiser _denoiser = null!;
    private Tensor _timesteps = null!;

    /// <inheritdoc/>
    public override IEnumerable<int> Batches => SuiteParameters.Some(1, 16, 64);

    /// <summary>In float32.</summary>
    [Benchmark(Baseline = true)]
    public void Eager()
    {
        using var noGradients = no_grad();
        using var output = Networks.Eager.call(Images.All, _timesteps);
        Synchronize();
    }

    /// <summary>A call of a denoiser: the network, and x̂₀ of its output.</summary>
    [Benchmark]
    public void Denoiser()
    {
        using var image = _denoiser.Denoise(Images.All, _schedule.LevelAt(500));
        Synchronize();
    }

    private protected override void Prepare()
    {
        _denoiser = NumberFormats.Sampling(Networks.Ours, _schedule, Format)!;
        _timesteps = full([Batch], 500, ScalarType.Int64, Target);
    }

    private protected override void Release() => _timesteps.Dispose();
}
