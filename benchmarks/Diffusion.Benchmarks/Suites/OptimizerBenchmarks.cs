using BenchmarkDotNet.Attributes;

namespace Diffusion.Benchmarks;

/// <summary>
/// What follows the backward pass: clipping, Adam, the average of the weights of the reference network. The trainer's part also sets the gradients to 0
/// and draws a batch of one pixel.
/// </summary>
public class OptimizerBenchmarks : NetworkSuite
{
    private EagerTrainer _eager = null!;
    private WeightsOnly _weights = null!;
    private RandomImages _pixel = null!;
    private OwnTraining _ours = null!;

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

    /// <summary>A step of the trainer of a network that computes nothing.</summary>
    [Benchmark]
    public void Trainer()
    {
        _ours.Step();
        Synchronize();
    }

    private protected override void Prepare()
    {
        _eager = new EagerTrainer(Networks.Eager, gradientClip: 1);
        _eager.Step(Images.All);
        _weights = new WeightsOnly(Networks.Ours);
        _pixel = new RandomImages(new ImageShape(1, 1, 1), 1, Target);
        _ours = OwnTraining.Start(_weights, _pixel, gradientClip: 1)!;
    }

    private protected override void Release()
    {
        _ours.Dispose();
        _pixel.Dispose();
        _eager.Dispose();
    }
}
