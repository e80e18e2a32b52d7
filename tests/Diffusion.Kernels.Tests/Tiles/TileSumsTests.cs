using TorchSharp;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed unsafe class TileSumsTests
{
    public static TheoryDataRow[] Shapes { get; } = Levels.Rows(Levels.WithTiles, (1, 16, 1), (3, 48, 49), (5, 32, 100));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void OfChannels_AndOfColumnsInAnyShape_AgreeWithFloat64(int images, int channels, int pixels, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        using var scope = NewDisposeScope();
        using var generator = new Generator(3);
        var values = randn([images, channels, pixels], generator: generator).to(ScalarType.BFloat16);
        var rows = values.transpose(1, 2).contiguous();
        var expected = values.to(ScalarType.Float64).sum([0L, 2L]);
        var (ofChannels, ofImages) = ChannelSums.OfAllAndEach(values);
        var ofColumns = new float[channels];

        fixed (float* columnSums = ofColumns)
        fixed (byte* wide = rows.to(ScalarType.Float32).bytes)
        {
            if (level == ProcessorLevel.Avx2)
            {
                TileSums<Float32x8>.OfColumns((float*)wide, (long)images * pixels, channels, columnSums);
            }
            else
            {
                TileSums<Float32x16>.OfColumns((float*)wide, (long)images * pixels, channels, columnSums);
            }
        }

        Assert.True((ofChannels - expected).abs().max().item<double>() < 1e-5);
        Assert.True((ofImages.sum([0L]) - expected).abs().max().item<double>() < 1e-5);
        Assert.True(ChannelSums.OfAll(values).equal(ofChannels).all().item<bool>());
        Assert.True((tensor(ofColumns) - expected).abs().max().item<double>() < 1e-5);
    }
}
