using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>
/// The transformed weights of a convolution, as panels of words for the products of its 16 points, in the order in which they are read: [out channels / lanes, 16, in channels / values in a word, lanes]. The two values in a word
/// are of channels that are 16 apart.
/// </summary>
/// <typeparam name="T">What products are computed in.</typeparam>
internal static unsafe class WinogradWeights<T>
    where T : ITileFormat
{
    private const int Kernel = 9;

    /// <summary>Those of the convolution itself.</summary>
    /// <param name="weight">[outChannels, inChannels, 3, 3].</param>
    /// <param name="outChannels">A multiple of 16, or of 32 where a word has two values.</param>
    /// <param name="inChannels">A multiple of 16, or of 32 where a word has two values.</param>
    /// <param name="points">Written.</param>
    public static void Transform(float* weight, int outChannels, int inChannels, uint* points) =>
        Transform(weight, inChannels, outChannels, Kernel, Kernel * inChannels, flips: false, points);

    /// <summary>Those of the convolution that makes the gradient of the input: in and out exchanged, kernels turned around.</summary>
    /// <param name="weight">[outChannels, inChannels, 3, 3].</param>
    /// <param name="outChannels">A multiple of 16, or of 32 where a word has two values: what enters.</param>
    /// <param name="inChannels">A multiple of 16, or of 32 where a word has two values: what leaves.</param>
    /// <param name="points">Written.</param>
    public static void TransformBackward(float* weight, int outChannels, int inChannels, uint* points) =>
        Transform(weight, outChannels, inChannels, Kernel * inChannels, Kernel, flips: true, points);

    private static void Transform(float* weight, int depth, int columns, int depthStep, int columnStep, bool flips, uint* points)
    {
        var (lanes, words) = (TilePanels.LanesFor(columns), depth / T.PerWord);
        TileWork.Run(columns / lanes, 0, (panel, _) =>
        {
            var indices = Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7) * columnStep;
            var first = weight + ((long)panel * lanes * columnStep);
            var to = points + ((long)panel * WinogradTiles.Points * lanes * words);
            for (var word = 0; word < words; word++, to += lanes)
            {
                var channel = T.PerWord == 1 ? word : (word / TilePanels.Apart * 2 * TilePanels.Apart) + (word % TilePanels.Apart);
                for (var n = 0; n < lanes; n += Vector256<float>.Count)
                {
                    Columns(first + ((long)channel * depthStep) + ((long)n * columnStep), TilePanels.Apart * depthStep, indices, flips, to + n, (long)words * lanes);
                }
            }
        });
    }

    [SkipLocalsInit]
    [MethodImpl(Loop.Alone)]
    private static void Columns(float* weight, long apart, Vector256<int> indices, bool flips, uint* points, long step)
    {
        var values = stackalloc float[WinogradTiles.Points * Vector256<float>.Count * 2];
        var others = values + (WinogradTiles.Points * Vector256<float>.Count);
        Columns(weight, indices, flips, values);
        if (T.PerWord > 1)
        {
            Columns(weight + apart, indices, flips, others);
        }

        for (var point = 0; point < WinogradTiles.Points; point++)
        {
            var one = Vector256.Load(values + (point * Vector256<float>.Count));
            Vector256.Store(T.PerWord == 1 ? one.AsUInt32() : BFloat16Values.Pair(one, Vector256.Load(others + (point * Vector256<float>.Count))), points + (point * step));
        }
    }

    [SkipLocalsInit]
    [MethodImpl(Loop.Alone)]
    private static void Columns(float* weight, Vector256<int> indices, bool flips, float* points)
    {
        Span<Float32x8> kernel = stackalloc Float32x8[Kernel];
        for (var i = 0; i < Kernel; i++)
        {
            kernel[flips ? Kernel - 1 - i : i] = new(Avx2.GatherVector256(weight + i, indices, sizeof(float)));
        }

        WinogradTransform<Float32x8>.Kernel(kernel, points, Vector256<float>.Count);
    }
}
