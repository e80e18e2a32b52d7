using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Models;

/// <summary>The transformed weights of a convolution, as panels of the products of its 16 points: [16, out channels / lanes, in channels, lanes].</summary>
internal static unsafe class WinogradWeights
{
    private const int Kernel = 9;

    /// <summary>Those of the convolution itself.</summary>
    /// <param name="weight">[outChannels, inChannels, 3, 3].</param>
    /// <param name="outChannels">A multiple of 16.</param>
    /// <param name="inChannels">A multiple of 16.</param>
    /// <param name="points">Written.</param>
    public static void Transform(float* weight, int outChannels, int inChannels, float* points) =>
        Transform(weight, inChannels, outChannels, Kernel, Kernel * inChannels, flips: false, points);

    /// <summary>Those of the convolution that makes the gradient of the input: in and out exchanged, kernels turned around.</summary>
    /// <param name="weight">[outChannels, inChannels, 3, 3].</param>
    /// <param name="outChannels">A multiple of 16: what enters.</param>
    /// <param name="inChannels">A multiple of 16: what leaves.</param>
    /// <param name="points">Written.</param>
    public static void TransformBackward(float* weight, int outChannels, int inChannels, float* points) =>
        Transform(weight, outChannels, inChannels, Kernel * inChannels, Kernel, flips: true, points);

    /// <summary>The channels of a panel.</summary>
    public static int Lanes(int channels) => channels % TilePanels.Lanes == 0 ? TilePanels.Lanes : TilePanels.Lanes / 2;

    private static void Transform(float* weight, int depth, int columns, int depthStep, int columnStep, bool flips, float* points)
    {
        var (lanes, size) = (Lanes(columns), (long)depth * columns);
        TileWork.Run(columns / lanes, 0, (panel, _) =>
        {
            var indices = Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7) * columnStep;
            var first = weight + ((long)panel * lanes * columnStep);
            var to = points + ((long)panel * lanes * depth);
            for (var k = 0; k < depth; k++, first += depthStep, to += lanes)
            {
                for (var n = 0; n < lanes; n += Vector256<float>.Count)
                {
                    Columns(first + ((long)n * columnStep), indices, flips, to + n, size);
                }
            }
        });
    }

    [SkipLocalsInit]
    private static void Columns(float* weight, Vector256<int> indices, bool flips, float* points, long step)
    {
        Span<Vector256<float>> kernel = stackalloc Vector256<float>[Kernel];
        for (var i = 0; i < Kernel; i++)
        {
            kernel[flips ? Kernel - 1 - i : i] = Avx2.GatherVector256(weight + i, indices, sizeof(float));
        }

        WinogradTransform.Kernel(kernel, points, step);
    }
}
