using Diffusion.Imaging;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

public sealed class EightBitImagesTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    /// <summary>Against the rule of diffusers, which rounds halves to even too, in other arithmetic: at most one level apart, and only at a half.</summary>
    [Fact]
    public void From_OfRecordedFloats_RoundsAsDiffusers()
    {
        using var golden = Golden.Case("metrics/resize_and_round");
        var bytes = EightBitImages.From(golden["round.x"]);
        var apart = (bytes.to(ScalarType.Int32) - golden["round.diffusers"].to(ScalarType.Int32)).abs();
        var exact = (golden["round.x"].to(ScalarType.Float64).clamp(Scalars.MinusOne, Scalars.One).Plus(Scalars.One) * 127.5.ToScalar()).Doubles();
        foreach (var (value, levels) in exact.Zip(apart.data<int>().ToArray()))
        {
            Assert.True(levels == 0 || (levels == 1 && Math.Abs(value - Math.Floor(value) - 0.5) < 1e-4), $"{value}: {levels}");
        }
    }

    [Fact]
    public void From_OfRecordedFloats_AreTheBytesOfImageFiles()
    {
        using var golden = Golden.Case("metrics/resize_and_round");
        var values = cat([golden["round.x"], tensor(new[] { float.PositiveInfinity, float.NegativeInfinity, 1e30f, -7f, 1.001f })], 0);
        var images = values.view(1, 1, 1, -1);
        foreach (var type in new[] { ScalarType.Float32, ScalarType.Float64, ScalarType.BFloat16, ScalarType.Float16 })
        {
            var typed = images.to(type);
            Assert.Equal(PixelTensor.FromFloat(typed, "images")[0].Pixels, EightBitImages.From(typed).bytes.ToArray());
        }
    }

    [Fact]
    public void From_OfAnImageWithoutContrast_DoesNotStretchIt()
    {
        var grey = full([2, 3, 4, 4], 0.1, dtype: ScalarType.Float32);
        Assert.All(EightBitImages.From(grey).bytes.ToArray(), value => Assert.Equal(140, value));
    }

    [Fact]
    public void ToFloat_OfEveryByte_ReturnsIt()
    {
        var bytes = tensor([.. Enumerable.Range(0, 256).Select(value => (byte)value)], dtype: ScalarType.Byte).view(1, 1, 16, 16);
        var floats = EightBitImages.ToFloat(bytes);
        TensorAssert.Identical(bytes, EightBitImages.From(floats), "bytes");
        TensorAssert.Identical(PixelTensor.ToFloat(bytes.bytes, [1, 1, 16, 16]), floats, "floats");
    }

    [Fact]
    public void From_OfBadImages_NamesWhatIsWrong()
    {
        var bad = tensor(new[] { 0f, float.NaN, float.NaN });
        Assert.Contains("[3] have 2 NaN of 3 values", Assert.Throws<ArgumentException>(() => EightBitImages.From(bad)).Message, StringComparison.Ordinal);
        Assert.Contains("are Byte", Assert.Throws<ArgumentException>(() => EightBitImages.From(zeros([2], dtype: ScalarType.Byte))).Message, StringComparison.Ordinal);
        Assert.Contains("are Float32", Assert.Throws<ArgumentException>(() => EightBitImages.ToFloat(bad)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _scope.Dispose();
}
