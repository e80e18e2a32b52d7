using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>
/// The transformed weights of a convolution, as panels of words for the products of its points, in the order in which they are read: [out channels / lanes, points, in channels / values in a word, lanes]. The two values in a word
/// are of channels that are 16 apart.
/// </summary>
/// <typeparam name="T">What products are computed in.</typeparam>
/// <typeparam name="TForm">How many outputs are made at once.</typeparam>
internal static unsafe class WinogradWeights<T, TForm>
    where T : ITileFormat
    where TForm : IWinogradForm
{
    private const int Kernel = 9;

    /// <summary>The words from a point of a panel to the next.</summary>
    /// <param name="words">The channels of the input, over the values in a word.</param>
    /// <param name="lanes">Of the panel.</param>
    public static long PointStep(int words, int lanes) => WinogradTiles<TForm>.PointStep((long)words * lanes);

    /// <summary>The words of all panels.</summary>
    /// <param name="outChannels">Of the convolution that reads them.</param>
    /// <param name="inChannels">Of it.</param>
    public static long Words(int outChannels, int inChannels)
    {
        var lanes = TilePanels.LanesFor(outChannels);
        return outChannels / lanes * TForm.Points * PointStep(inChannels / T.PerWord, lanes);
    }

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
            var step = PointStep(words, lanes);
            var to = points + (panel * TForm.Points * step);
            for (var word = 0; word < words; word++, to += lanes)
            {
                var channel = T.PerWord == 1 ? word : (word / TilePanels.Apart * 2 * TilePanels.Apart) + (word % TilePanels.Apart);
                for (var n = 0; n < lanes; n += Vector256<float>.Count)
                {
                    Columns(first + ((long)channel * depthStep) + ((long)n * columnStep), TilePanels.Apart * depthStep, indices, flips, to + n, step);
                }
            }
        });
    }

    [SkipLocalsInit]
    [MethodImpl(Loop.Alone)]
    private static void Columns(float* weight, long apart, Vector256<int> indices, bool flips, uint* points, long step)
    {
        Float32x8* kernel = stackalloc Float32x8[Kernel], values = stackalloc Float32x8[2 * TForm.Points], others = values + TForm.Points;
        Columns(weight, indices, flips, kernel, values);
        if (T.PerWord > 1)
        {
            Columns(weight + apart, indices, flips, kernel, others);
        }

        for (var point = 0; point < TForm.Points; point++)
        {
            TileValues<Float32x8>.StoreWord<T>(values[point], others[point], points + (point * step));
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Columns(float* weight, Vector256<int> indices, bool flips, Float32x8* kernel, Float32x8* points)
    {
        for (var i = 0; i < Kernel; i++)
        {
            kernel[flips ? Kernel - 1 - i : i] = new(Avx2.GatherVector256(weight + i, indices, sizeof(float)));
        }

        TForm.Kernel(kernel, points);
    }
}
