using BenchmarkDotNet.Attributes;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>The reference network forward and backward, in float32, without an optimizer. Gradients add up in place.</summary>
public class UNetGradientBenchmarks : NetworkSuite
{
    private Tensor _timesteps = null!;

    /// <inheritdoc/>
    public override IEnumerable<int> Batches => SuiteParameters.Some(16, 64);

    /// <inheritdoc/>
    public override IEnumerable<NumberFormat> Formats => [NumberFormat.Fp32];

    /// <summary>TorchSharp's modules.</summary>
    [Benchmark(Baseline = true)]
    public void Eager() => Backward(Networks.Eager);

    /// <summary>This library's.</summary>
    [Benchmark]
    public void UNet() => Backward(Networks.Ours);

    private protected override void Prepare() => _timesteps = full([Batch], 500, ScalarType.Int64, Target);

    private protected override void Release() => _timesteps.Dispose();

    private void Backward(nn.Module<Tensor, Tensor, Tensor> network)
    {
        using var scope = NewDisposeScope();
        nn.functional.mse_loss(network.call(Images.All, _timesteps), Images.All).backward();
        Synchronize();
    }
}
