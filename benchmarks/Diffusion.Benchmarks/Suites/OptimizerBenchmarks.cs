using BenchmarkDotNet.Attributes;

namespace Diffusion.Benchmarks;

/// <summary>What follows the backward pass: clipping, Adam, the average of the weights of the reference network.</summary>
public class OptimizerBenchmarks : NetworkSuite
{
    private EagerTrainer _eager = null!;
    private OwnUpdate _ours = null!;

    /// <inheritdoc/>
    public override IEnumerable<int> Batches => [1];

    /// <inheritdoc/>
    public override IEnumerable<NumberFormat> Formats => [NumberFormat.Fp32];

    /// <summary>TorchSharp's Adam and loops over the parameters.</summary>
    [Benchmark(Baseline = true)]
    public void Eager()
    {
        _eager.Update();
        Synchronize();
    }

    /// <summary>The update of a trainer.</summary>
    [Benchmark]
    public void Trainer()
    {
        _ours.Run();
        Synchronize();
    }

    private protected override void Prepare()
    {
        _eager = new EagerTrainer(Networks.Eager, gradientClip: 1);
        _eager.Step(Images.All);
        _ours = new OwnUpdate(Networks.Ours, gradientClip: 1);
    }

    private protected override void Release()
    {
        _ours.Dispose();
        _eager.Dispose();
    }
}
