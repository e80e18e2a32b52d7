using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>A part of the grid that every kind of configuration is in. The whole grid: <c>Diffusion.Benchmarks kernels</c>.</summary>
public sealed class KernelGridTests
{
    private const int Seed = 3;
    private const int OfEachKind = 2;
    private static readonly ConvolutionCase[] s_part = [.. Part()];

    [Theory]
    [InlineData(false, 1)]
    [InlineData(false, 2)]
    [InlineData(false, 3)]
    [InlineData(false, 4)]
    [InlineData(true, 1)]
    [InlineData(true, 2)]
    [InlineData(true, 3)]
    [InlineData(true, 4)]
    public void Layers_PartOfTheGrid_AgreeWithFloat64(bool transposed, int kernel)
    {
        var failures = s_part.Where(x => x.Transposed == transposed && x.Kernel == kernel).SelectMany((x, i) => x.Failures(i));

        Assert.Empty(failures.Select(failure => failure.ToString()));
    }

    [Theory]
    [InlineData(ScalarType.Float32, false)]
    [InlineData(ScalarType.Float32, true)]
    [InlineData(ScalarType.BFloat16, false)]
    [InlineData(ScalarType.BFloat16, true)]
    public void Layers_EveryChannelCount_AgreeWithFloat64(ScalarType type, bool channelsLast)
    {
        // Both roles of every count, in the kernels that U-Nets are made of.
        var failures =
            from pair in KernelGrid.Channels.Zip(KernelGrid.Channels.Reverse(), (first, second) => (first, second))
            from layer in ((bool, int, int, int)[])[(false, 3, 1, 1), (false, 3, 2, 1), (false, 1, 1, 0), (true, 4, 2, 1)]
            let configuration = new ConvolutionCase(
                layer.Item1, layer.Item2, layer.Item3, layer.Item4, pair.first, pair.second, Size: 7, Batch: 4, channelsLast, type)
            from failure in configuration.Failures(Seed)
            select failure.ToString();

        Assert.Empty(failures);
    }

    [Fact]
    public void Part_OfTheGrid_HasEveryChannelCountInBothRoles()
    {
        Assert.Equal(KernelGrid.Channels, s_part.Select(x => x.InChannels).Distinct().Order());
        Assert.Equal(KernelGrid.Channels, s_part.Select(x => x.OutChannels).Distinct().Order());
    }

    [Fact]
    public void Shuffled_SameSeed_SameOrderOfTheWholeGrid()
    {
        var first = KernelGrid.Shuffled(Seed);

        Assert.Equal(first, KernelGrid.Shuffled(Seed));
        Assert.NotEqual(first.Take(100), KernelGrid.Shuffled(Seed + 1).Take(100));
        Assert.Equal(KernelGrid.All().Count(), first.Distinct().Count());
    }

    private static IEnumerable<ConvolutionCase> Part() => KernelGrid.Shuffled(Seed)
        .Where(x => x.Size <= 14 && x.Batch <= 4)
        .GroupBy(x => (x.Transposed, x.Kernel, x.Stride, x.Padding, x.ChannelsLast, x.Type))
        .SelectMany(kind => kind.Take(OfEachKind));
}
