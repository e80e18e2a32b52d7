using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class MemoryLayoutTests
{
    [Theory]
    [InlineData(2, 3, 5, 7)]
    [InlineData(2, 1, 5, 7)] // one channel: the values lie alike in both orders, the strides do not
    [InlineData(2, 3, 1, 1)] // one pixel: likewise
    [InlineData(1, 3, 5, 7)]
    [InlineData(1, 1, 5, 1)]
    public void IsChannelsLast_DenseTensor_TellsWhatWasMeant(long batch, long channels, long height, long width)
    {
        using var scope = NewDisposeScope();
        var rows = zeros(batch, channels, height, width);
        var last = zeros(batch, height, width, channels).permute(0, 3, 1, 2);

        Assert.False(MemoryLayout.IsChannelsLast(rows));
        Assert.True(MemoryLayout.IsChannelsLast(last));
    }

    [Fact]
    public void IsChannelsLast_EmptyOrExpanded_IsFalse()
    {
        using var scope = NewDisposeScope();

        Assert.False(MemoryLayout.IsChannelsLast(zeros(0, 3, 5, 7)));
        Assert.False(MemoryLayout.IsChannelsLast(zeros(1, 1, 1, 1).expand(2, 3, 5, 7)));
        Assert.False(MemoryLayout.IsChannelsLast(zeros(2, 3, 7, 5).transpose(2, 3)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Dense_NarrowedImages_HasTheOrderAndTheValues(bool channelsLast)
    {
        using var scope = NewDisposeScope();
        var images = arange(2 * 8 * 5 * 7, dtype: ScalarType.Float32).view(2, 8, 5, 7).narrow(1, 2, 3);

        var dense = MemoryLayout.Dense(images, channelsLast);

        Assert.Equal(channelsLast, MemoryLayout.IsChannelsLast(dense));
        Assert.Equal(0, (dense - images).abs().max().item<float>());
    }

    [Theory]
    [InlineData(2, 1, 5, 7)]
    [InlineData(2, 3, 1, 1)]
    [InlineData(1, 1, 1, 1)]
    [InlineData(2, 3, 5, 1)]
    public void Dense_BothOrdersAlike_StridesTellWhichWasMeant(long batch, long channels, long height, long width)
    {
        using var scope = NewDisposeScope();
        var rows = arange(batch * channels * height * width, dtype: ScalarType.Float32).view(batch, channels, height, width);

        var last = MemoryLayout.Dense(rows, channelsLast: true);
        var back = MemoryLayout.Dense(last, channelsLast: false);

        Assert.True(MemoryLayout.IsChannelsLast(last) || rows.numel() == 1); // one value: all strides are 1 in both orders
        Assert.False(MemoryLayout.IsChannelsLast(back));
        Assert.Equal(0, (rows - last).abs().max().item<float>() + (rows - back).abs().max().item<float>());
    }
}
