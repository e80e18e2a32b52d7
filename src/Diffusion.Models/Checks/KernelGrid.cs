using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Every configuration of a convolution that the layers are proved on: kernels 1 to 4 with and without padding, strides 1 to 4, both directions, layouts and types.</summary>
internal static class KernelGrid
{
    /// <summary>Input and output channels: below, at, between and above the multiples of 16 and of 32.</summary>
    public static IReadOnlyList<int> Channels { get; } = [1, 2, 3, 4, 8, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 112, 128, 144, 160, 192, 320];

    /// <summary>Heights and widths: smaller than a kernel, of layers of networks, and no square.</summary>
    public static IReadOnlyList<(int Height, int Width)> Sizes { get; } = [(1, 1), (2, 2), (3, 3), (5, 5), (7, 7), (14, 14), (28, 28), (33, 47)];

    private static readonly int[] s_batches = [1, 4, 16];
    private static readonly (int Kernel, int Padding)[] s_kernels = [(1, 0), (2, 0), (3, 0), (3, 1), (4, 0), (4, 1)];
    private static readonly int[] s_strides = [1, 2, 3, 4];
    private static readonly bool[] s_either = [false, true];
    private static readonly ScalarType[] s_types = [ScalarType.Float32, ScalarType.BFloat16];

    private static readonly int s_count =
        s_either.Length * s_kernels.Length * s_strides.Length * Channels.Count * Channels.Count * Sizes.Count * s_batches.Length * s_either.Length * s_types.Length;

    /// <summary>The whole grid.</summary>
    public static IEnumerable<ConvolutionCase> All() => Cases(Enumerable.Range(0, s_count));

    /// <summary>The whole grid in an order that is a function of the seed.</summary>
    public static IEnumerable<ConvolutionCase> Shuffled(int seed)
    {
        var places = Enumerable.Range(0, s_count).ToArray();
        new Random(seed).Shuffle(places);
        return Cases(places);
    }

    private static IEnumerable<ConvolutionCase> Cases(IEnumerable<int> places) => places.Select(At).Where(x => x.HasOutput);

    private static ConvolutionCase At(int place)
    {
        T Next<T>(IReadOnlyList<T> values)
        {
            (place, var index) = Math.DivRem(place, values.Count);
            return values[index];
        }

        var (type, channelsLast, batch, size, outChannels, inChannels) = (Next(s_types), Next(s_either), Next(s_batches), Next(Sizes), Next(Channels), Next(Channels));
        var (stride, (kernel, padding), transposed) = (Next(s_strides), Next(s_kernels), Next(s_either));
        return new(transposed, kernel, stride, padding, inChannels, outChannels, size.Height, size.Width, batch, channelsLast, type);
    }
}
