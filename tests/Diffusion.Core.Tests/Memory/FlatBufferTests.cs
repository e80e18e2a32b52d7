using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class FlatBufferTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(17)]
    [InlineData(16_384)]
    [InlineData(100_003)] // several pieces, the last no multiple of a vector
    public void Norm_AnyLength_IsThatOfFloat64(int length)
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(5, CPU);
        var values = randn(length, generator: generator);
        Assert.Equal(values.to(ScalarType.Float64).norm().item<double>(), FlatBuffer.Norm(values), 1e-10 * length);
    }

    [Fact]
    public void Norm_SquaresBeyondFloat32_IsFinite()
    {
        using var values = full(1000, 1e30f);
        Assert.Equal(1e30 * Math.Sqrt(1000), FlatBuffer.Norm(values), 1e24);
    }

    [Fact]
    public void Norm_OneThreadOrTwo_IsTheSame()
    {
        using var values = randn(200_000);
        var threads = get_num_threads();
        try
        {
            set_num_threads(1);
            var alone = FlatBuffer.Norm(values);
            set_num_threads(2);
            Assert.Equal(alone, FlatBuffer.Norm(values));
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    public void Norm_OneValueNotFinite_IsNotFinite(float value)
    {
        using var values = zeros(40_000);
        values[39_999] = tensor(value);
        Assert.False(double.IsFinite(FlatBuffer.Norm(values)));
    }
}
