using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Every configuration of a convolution that the layers are proved on.</summary>
internal static class KernelGrid
{
    /// <summary>Input and output channels: below, at, between and above the multiples of 16 and of 32.</summary>
    public static IReadOnlyList<int> Channels { get; } = [1, 2, 3, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 112, 128, 144, 160, 192, 320];

    private static readonly int[] s_sizes = [7, 14, 28];
    private static readonly int[] s_batches = [1, 4, 16];
    private static readonly (int Kernel, int Padding)[] s_kernels = [(1, 0), (2, 0), (3, 0), (3, 1), (4, 0), (4, 1)];
    private static readonly ScalarType[] s_types = [ScalarType.Float32, ScalarType.BFloat16];

    /// <summary>The whole grid: kernels 1 to 4 with and without padding, strides 1 and 2, both directions, layouts and types.</summary>
    public static IEnumerable<ConvolutionCase> All() =>
        from transposed in (bool[])[false, true]
        from kernel in s_kernels
        from stride in (int[])[1, 2]
        from inChannels in Channels
        from outChannels in Channels
        from size in s_sizes
        from batch in s_batches
        from channelsLast in (bool[])[false, true]
        from type in s_types
        select new ConvolutionCase(transposed, kernel.Kernel, stride, kernel.Padding, inChannels, outChannels, size, batch, channelsLast, type);

    /// <summary>The whole grid in an order that is a function of the seed.</summary>
    public static ConvolutionCase[] Shuffled(int seed)
    {
        var cases = All().ToArray();
        new Random(seed).Shuffle(cases);
        return cases;
    }
}
