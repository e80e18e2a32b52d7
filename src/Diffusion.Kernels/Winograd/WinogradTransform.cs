using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Kernels;

/// <summary>
/// The transforms of a 3×3 convolution whose outputs are computed 2×2 at a time with 16 multiplications for each pair of channels instead of 36. Values of 16 channels lie in a vector.
/// </summary>
/// <remarks>
/// Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308, section 4.1, F(2×2, 3×3): Y = Aᵀ[(G g Gᵀ) ∘ (Bᵀ d B)]A with
/// Bᵀ = [1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1], G = [1 0 0; ½ ½ ½; ½ −½ ½; 0 0 1] and Aᵀ = [1 1 1 0; 0 1 −1 −1].
/// </remarks>
internal static unsafe class WinogradTransform
{
    /// <summary>The products of a tile: 4×4.</summary>
    public const int Points = 16;

    /// <summary>A row of Bᵀ d B of 4×4 pixels d.</summary>
    /// <param name="pixels">Of each pixel its channels.</param>
    /// <param name="row">From 0 to 3.</param>
    /// <param name="channel">The first channel.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> A, Vector512<float> B, Vector512<float> C, Vector512<float> D) Input(float** pixels, int row, int channel)
    {
        float** first = pixels + (row == 0 ? 0 : row == 2 ? 8 : 4), second = pixels + (row is 0 or 1 ? 8 : row == 2 ? 4 : 12);
        var (a, b, c, d) = (Vector512.Load(first[0] + channel), Vector512.Load(first[1] + channel), Vector512.Load(first[2] + channel), Vector512.Load(first[3] + channel));
        var (e, f, g, h) = (Vector512.Load(second[0] + channel), Vector512.Load(second[1] + channel), Vector512.Load(second[2] + channel), Vector512.Load(second[3] + channel));
        return row == 1 ? Differences(a + e, b + f, c + g, d + h) : Differences(a - e, b - f, c - g, d - h);
    }

    /// <summary>Aᵀ M A: 2×2 pixels.</summary>
    /// <param name="points">16 vectors M.</param>
    /// <param name="step">The floats from one to the next.</param>
    /// <param name="start">What is added to each pixel.</param>
    /// <param name="adds">Whether what the pixels hold is added, too.</param>
    /// <param name="pixels">Of each of the four its channels; written.</param>
    /// <param name="channel">The first channel.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output(float* points, long step, Vector512<float> start, bool adds, float** pixels, int channel)
    {
        Vector512<float> Before(int i) => adds ? start + Vector512.Load(pixels[i] + channel) : start;
        Vector512<float> Point(int i) => Vector512.Load(points + (i * step));
        var (a0, a1) = Sums(Point(0), Point(4), Point(8), Point(12));
        var (b0, b1) = Sums(Point(1), Point(5), Point(9), Point(13));
        var (c0, c1) = Sums(Point(2), Point(6), Point(10), Point(14));
        var (d0, d1) = Sums(Point(3), Point(7), Point(11), Point(15));
        var (top, topRight) = Sums(a0, b0, c0, d0);
        var (bottom, bottomRight) = Sums(a1, b1, c1, d1);
        Vector512.Store(top + Before(0), pixels[0] + channel);
        Vector512.Store(topRight + Before(1), pixels[1] + channel);
        Vector512.Store(bottom + Before(2), pixels[2] + channel);
        Vector512.Store(bottomRight + Before(3), pixels[3] + channel);
    }

    /// <summary>A row of A δ Aᵀ, the gradient of M, of 2×2 gradients δ of pixels.</summary>
    /// <param name="pixels">Of each of the four its channels.</param>
    /// <param name="row">From 0 to 3.</param>
    /// <param name="channel">The first channel.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (Vector512<float> A, Vector512<float> B, Vector512<float> C, Vector512<float> D) Direction(float** pixels, int row, int channel)
    {
        var (top, topRight) = (Vector512.Load(pixels[0] + channel), Vector512.Load(pixels[1] + channel));
        var (below, belowRight) = (Vector512.Load(pixels[2] + channel), Vector512.Load(pixels[3] + channel));
        var (one, other) = row switch { 0 => (top, topRight), 1 => (top + below, topRight + belowRight), 2 => (top - below, topRight - belowRight), _ => (-below, -belowRight) };
        return (one, one + other, one - other, -other); // A
    }

    /// <summary>G g Gᵀ of a kernel g, whose nine values are those of 8 pairs of channels each.</summary>
    /// <param name="kernel">9 vectors.</param>
    /// <param name="points">Written.</param>
    /// <param name="step">The floats from one to the next.</param>
    public static void Kernel(ReadOnlySpan<Vector256<float>> kernel, float* points, long step)
    {
        Span<Vector256<float>> rows = stackalloc Vector256<float>[12];
        for (var column = 0; column < 3; column++)
        {
            (rows[column], rows[column + 3], rows[column + 6], rows[column + 9]) = Halves(kernel[column], kernel[column + 3], kernel[column + 6]);
        }

        for (var row = 0; row < 4; row++, points += 4 * step)
        {
            var (first, second, third, fourth) = Halves(rows[3 * row], rows[(3 * row) + 1], rows[(3 * row) + 2]);
            Vector256.Store(first, points);
            Vector256.Store(second, points + step);
            Vector256.Store(third, points + (2 * step));
            Vector256.Store(fourth, points + (3 * step));
        }
    }

    /// <summary>Gᵀ U G: the gradient of a kernel from that of its points.</summary>
    /// <param name="points">16 vectors U.</param>
    /// <param name="kernel">Written: 9 vectors.</param>
    public static void KernelGradient(ReadOnlySpan<Vector512<float>> points, Span<Vector512<float>> kernel)
    {
        Span<Vector512<float>> rows = stackalloc Vector512<float>[12];
        for (var column = 0; column < 4; column++)
        {
            (rows[column], rows[column + 4], rows[column + 8]) = Joined(points[column], points[column + 4], points[column + 8], points[column + 12]);
        }

        for (var row = 0; row < 3; row++)
        {
            (kernel[3 * row], kernel[(3 * row) + 1], kernel[(3 * row) + 2]) = Joined(rows[4 * row], rows[(4 * row) + 1], rows[(4 * row) + 2], rows[(4 * row) + 3]);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> A, Vector512<float> B, Vector512<float> C, Vector512<float> D) Differences(
        Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) => (a - c, b + c, c - b, b - d); // Bᵀ

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> One, Vector512<float> Other) Sums(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d) => (a + b + c, b - c - d); // Aᵀ

    private static (Vector256<float> A, Vector256<float> B, Vector256<float> C, Vector256<float> D) Halves(Vector256<float> a, Vector256<float> b, Vector256<float> c)
    {
        var (middle, ends) = (b * 0.5f, (a + c) * 0.5f); // G
        return (a, ends + middle, ends - middle, c);
    }

    private static (Vector512<float> A, Vector512<float> B, Vector512<float> C) Joined(Vector512<float> a, Vector512<float> b, Vector512<float> c, Vector512<float> d)
    {
        var (sum, difference) = ((b + c) * 0.5f, (b - c) * 0.5f); // Gᵀ
        return (a + sum, difference, sum + d);
    }
}
