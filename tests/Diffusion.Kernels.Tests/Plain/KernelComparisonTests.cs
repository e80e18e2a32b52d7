using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>What must count as wrong does.</summary>
public sealed class KernelComparisonTests
{
    private static readonly ScalarType[] s_types = [ScalarType.Float32, ScalarType.BFloat16];

    [Fact]
    public void Error_RoundingToTheType_IsBelowTolerance()
    {
        foreach (var type in s_types)
        {
            using var scope = NewDisposeScope();
            var reference = Reference();

            Assert.InRange(KernelComparison.Error(reference.to(type), reference), 0, KernelComparison.Tolerance(type) / 3);
        }
    }

    [Fact]
    public void Error_OneWrongElementInAMillion_IsAboveTolerance()
    {
        foreach (var type in s_types)
        {
            using var scope = NewDisposeScope();
            var reference = Reference();
            var actual = reference.to(type);
            actual[12_345] += 1;

            Assert.True(KernelComparison.Error(actual, reference) > KernelComparison.Tolerance(type));
        }
    }

    [Fact]
    public void Error_NotANumberOrAnotherShape_IsNotANumber()
    {
        using var scope = NewDisposeScope();
        var reference = Reference();
        var actual = reference.to(ScalarType.Float32);
        actual[7] = float.NaN;

        Assert.Equal(double.NaN, KernelComparison.Error(actual, reference));
        Assert.Equal(double.NaN, KernelComparison.Error(reference.view(1000, 1000), reference));
    }

    private static Tensor Reference()
    {
        using var generator = new Generator(1, CPU);
        return randn(1_000_000, dtype: ScalarType.Float64, generator: generator);
    }
}
