using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class ConvolutionGradientTests
{
    /// <summary>Numbers that TorchSharp hands to libtorch are freed by the collector while they are read, unless somebody holds them.</summary>
    [Theory]
    [InlineData(ProcessorLevel.Plain)]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Of_WhileTheCollectorRuns_GivesTheSameGradients(ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var (input, weight, direction) = (randn([2, 16, 6, 6], generator: generator), randn([16, 16, 3, 3], generator: generator), randn([2, 16, 3, 3], generator: generator));
        var shape = new ConvolutionShape(16, 16, 3, 2, 1);
        var expected = ConvolutionGradient.Of(direction, input, weight, shape);
        using var stop = new CancellationTokenSource();
        var collector = new Thread(() =>
        {
            while (!stop.IsCancellationRequested)
            {
                GC.Collect(0);
                GC.WaitForPendingFinalizers();
            }
        });
        collector.Start();
        try
        {
            for (var i = 0; i < 1000; i++)
            {
                using var inner = NewDisposeScope();
                var (ofInput, ofWeight, ofBias) = ConvolutionGradient.Of(direction, input, weight, shape);
                Assert.True(ofInput.equal(expected.Input).all().item<bool>() && ofWeight.equal(expected.Weight).all().item<bool>() && ofBias.equal(expected.Bias).all().item<bool>());
            }
        }
        finally
        {
            stop.Cancel();
            collector.Join();
        }
    }
}
