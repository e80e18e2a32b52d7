using BenchmarkDotNet.Attributes;

namespace Diffusion.Benchmarks;

/// <summary>A train step of the reference network: batch, noise, forward, backward, clipping, Adam, average of the weights.</summary>
public class TrainStepBenchmarks : NetworkSuite
{
    private EagerTrainer _eager = null!;
    private OwnTraining _ours = null!;

    /// <inheritdoc/>
    public override IEnumerable<int> Batches => SuiteParameters.Some(16, 64);

    /// <summary>The loop of the course, in float32.</summary>
    [Benchmark(Baseline = true)]
    public void Eager()
    {
        _eager.Step(Images.All);
        Synchronize();
    }

    /// <summary>A step of the trainer.</summary>
    [Benchmark]
    public void Trainer()
    {
        _ours.Step();
        Synchronize();
    }

    private protected override void Prepare()
    {
        _eager = new EagerTrainer(Networks.Eager, gradientClip: 1);
        _ours = OwnTraining.Start(Networks.Ours, Images, Format, gradientClip: 1)!;
    }

    private protected override void Release()
    {
        _ours.Dispose();
        _eager.Dispose();
    }
}
