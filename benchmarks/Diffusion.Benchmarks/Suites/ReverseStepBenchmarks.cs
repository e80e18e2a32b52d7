using BenchmarkDotNet.Attributes;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A step of sampling: the network and one sampler of each family. The baseline is an eager step of DDPM.</summary>
public class ReverseStepBenchmarks : NetworkSuite
{
    private EagerSchedule _schedule = null!;
    private OwnSampling _sampling = null!;

    /// <summary>One sampler of each family, by its name in <see cref="Sampler"/>.</summary>
    public static IEnumerable<string> Samplers => SuiteParameters.Some("ddpm", "ddim", "euler", "heun", "dpm2", "lms", "pndm", "dpm++2m", "dpm++2s", "unipc", "lcm");

    /// <inheritdoc/>
    public override IEnumerable<int> Batches => SuiteParameters.Some(1, 16);

    /// <summary>The sampler of this library.</summary>
    [ParamsSource(nameof(Samplers))]
    public string Sampler { get; set; } = "";

    /// <summary>The network in float32, then DDPM's arithmetic.</summary>
    [Benchmark(Baseline = true)]
    public void EagerDdpm()
    {
        using var noisy = EagerSampler.Step(Networks.Eager, _schedule, Images.All, 500);
        Synchronize();
    }

    /// <summary>A step of 50, averaged over the run: some steps of some samplers call the network twice.</summary>
    [Benchmark]
    public void Step()
    {
        _sampling.Step();
        Synchronize();
    }

    private protected override void Prepare()
    {
        _schedule = new EagerSchedule(Target);
        _sampling = new OwnSampling(Diffusion.Sampler.Create(Sampler, 50), NumberFormats.Sampling(Networks.Ours, new LinearNoiseSchedule(), Format)!, Images.All.shape);
    }

    private protected override void Release()
    {
        _sampling.Dispose();
        _schedule.Dispose();
    }
}
