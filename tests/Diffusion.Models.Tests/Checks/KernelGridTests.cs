using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>A part of the grid that every kind of configuration is in. The whole grid: <c>Diffusion.Benchmarks kernels</c>.</summary>
public sealed class KernelGridTests
{
    private const int MostProducts = 1 << 24; // so that float64 takes some tens of milliseconds
    private static readonly int s_seed = TestSeed.Value;
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
        TestContext.Current.TestOutputHelper!.WriteLine($"Sampled with {TestSeed.Hint}.");

        AssertNone(s_part.Where(x => x.Transposed == transposed && x.Kernel == kernel).SelectMany((x, i) => x.Failures(i)));
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
                layer.Item1, layer.Item2, layer.Item3, layer.Item4, pair.first, pair.second, Height: 7, Width: 7, Batch: 4, channelsLast, type)
            from failure in configuration.Failures(s_seed)
            select failure;

        AssertNone(failures);
    }

    [Fact]
    public void Part_OfTheGrid_HasEveryChannelCountInBothRolesAndEverySize()
    {
        Assert.Equal(KernelGrid.Channels, s_part.Select(x => x.InChannels).Distinct().Order());
        Assert.Equal(KernelGrid.Channels, s_part.Select(x => x.OutChannels).Distinct().Order());
        Assert.Equal(KernelGrid.Sizes, s_part.Select(x => (x.Height, x.Width)).Distinct().Order());
    }

    [Fact]
    public void Shuffled_SameSeed_SameOrderOfTheGrid()
    {
        var first = KernelGrid.Shuffled(s_seed).Take(100).ToArray();

        Assert.Equal(first, KernelGrid.Shuffled(s_seed).Take(100));
        Assert.NotEqual(first, KernelGrid.Shuffled(s_seed + 1).Take(100));
    }

    [Fact]
    public void All_OfTheGrid_AreDifferentAndHaveAnOutput()
    {
        var some = KernelGrid.All().Where(x => x is { InChannels: 48, OutChannels: 20, Batch: 4 }).ToArray();

        Assert.Equal(some.Length, some.Distinct().Count());
        Assert.Equal(2 * 6 * 4 * 2 * 2, some.Count(x => x.Height == 28)); // directions, kernels, strides, layouts, types
        Assert.DoesNotContain(some, x => x is { Transposed: false, Kernel: 3, Padding: 0, Height: 2 });
    }

    /// <summary>Of every kind one of the smallest sizes, one of those in between and a large one, of few channels where they are large.</summary>
    private static IEnumerable<ConvolutionCase> Part() => KernelGrid.Shuffled(s_seed)
        .Where(x => (long)x.Batch * x.Height * x.Width * x.InChannels * x.OutChannels <= MostProducts)
        .GroupBy(x => (x.Transposed, x.Kernel, x.Stride, x.Padding, x.ChannelsLast, x.Type, Size: x.Width <= 3 ? 0 : x.Width <= 14 ? 1 : 2))
        .Select(kind => kind.First());

    private static void AssertNone(IEnumerable<KernelFailure> failures)
    {
        var all = failures.Select(failure => failure.ToString()).ToArray();
        Assert.True(all.Length == 0, $"With {TestSeed.Hint}:\n{string.Join('\n', all)}");
    }
}
