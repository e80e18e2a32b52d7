using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class ScalarsTests
{
    /// <summary>With the operator in place of <c>Plus</c> about one sum in ten thousand fails.</summary>
    [Fact]
    public void Plus_WhileTheCollectorRuns_GivesTheSum()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5);
        var (values, others) = (rand([64], generator: generator), rand([64], generator: generator));
        var expected = values.Plus(others);
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
            for (var i = 0; i < 100_000; i++)
            {
                using var sum = values.Plus(others);
                Assert.True(sum.equal(expected).all().item<bool>());
            }
        }
        finally
        {
            stop.Cancel();
            collector.Join();
        }
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    [InlineData(ScalarType.Int64)]
    public void Plus_EveryType_EqualsTheOperator(ScalarType type)
    {
        using var scope = NewDisposeScope();
        var (values, others) = (arange(-3, 4).to(type), arange(7).to(type));
        TensorAssert.Identical(values + others, values.Plus(others), "tensors");
        TensorAssert.Identical(values + 1, values.Plus(Scalars.One), "whole number");
        TensorAssert.Identical(values + 0.5, values.Plus(Scalars.Half), "fraction");
    }
}
