using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class ConvolutionGradientTests
{
    /// <summary>With libtorch's own convolution where the check finds it right, and as on a machine where it is wrong.</summary>
    [Theory]
    [InlineData(3, 64, 1, false)]
    [InlineData(3, 64, 1, true)]
    [InlineData(20, 5, 2, false)]
    [InlineData(20, 5, 2, true)]
    [InlineData(112, 144, 1, false)]
    [InlineData(112, 144, 1, true)]
    public void Of_OddChannelsInPoisonedMemory_IsThatOfFloat64(int inChannels, int outChannels, int stride, bool padded)
    {
        using var assumed = padded ? ConvolutionCheck.Assume(right: false) : null;
        using var generator = new Generator(5);
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            foreach (var channelsLast in (bool[])[false, true])
            {
                foreach (var (images, height, width) in ((int, int, int)[])[(1, 5, 6), (3, 9, 14), (1, 83, 84)])
                {
                    using var scope = NewDisposeScope();
                    var shape = new ConvolutionShape(inChannels, outChannels, 3, stride, 1);
                    Tensor Draw(params long[] size) => randn(size, generator: generator).to(type);
                    var (input, weight) = (MemoryLayout.Dense(Draw(images, inChannels, height, width), channelsLast), Draw(outChannels, inChannels, 3, 3));
                    var direction = MemoryLayout.Dense(Draw(images, outChannels, shape.OutputSize(height), shape.OutputSize(width)), channelsLast);
                    MemoryPoison.Fill([.. new[] { input, weight, direction }.SelectMany(tensor => (long[])[2 * tensor.numel(), 4 * tensor.numel()])]);

                    var (ofInput, ofWeight, ofBias) = ConvolutionGradient.Of(direction, input, weight, shape);

                    var exact = ConvolutionReference.Forward(
                        input.to(ScalarType.Float64), weight.to(ScalarType.Float64), zeros(outChannels, dtype: ScalarType.Float64), direction.to(ScalarType.Float64), shape);
                    foreach (var (actual, expected) in ((Tensor, Tensor)[])[(ofInput, exact.InputGradient), (ofWeight, exact.WeightGradient), (ofBias, exact.BiasGradient)])
                    {
                        Assert.InRange(KernelComparison.Error(actual, expected, 1), 0, KernelComparison.Tolerance(type));
                    }
                }
            }
        }
    }

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
