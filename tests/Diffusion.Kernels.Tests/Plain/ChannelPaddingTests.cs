using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class ChannelPaddingTests
{
    [Theory]
    [InlineData(1, 16)]
    [InlineData(16, 16)]
    [InlineData(17, 32)]
    [InlineData(32, 32)]
    [InlineData(48, 64)] // a multiple of 16 is not enough
    [InlineData(112, 128)]
    [InlineData(320, 320)]
    public void Round_Channels_GivesSixteenOrAMultipleOfThirtyTwo(int channels, int expected) =>
        Assert.Equal(expected, ChannelPadding.Round(channels));

    [Theory]
    [InlineData(ScalarType.Float32, true)]
    [InlineData(ScalarType.BFloat16, true)]
    [InlineData(ScalarType.Float64, false)]
    public void Applies_OnTheCpu_ToEveryTypeOfOneDnn(ScalarType type, bool expected)
    {
        using var input = zeros(1, dtype: type);

        Assert.Equal(expected, ChannelPadding.Applies(input));
    }

    [Fact]
    public void Applies_OnAnotherDevice_IsFalse()
    {
        using var input = zeros(1, device: META);

        Assert.False(ChannelPadding.Applies(input));
    }
}
