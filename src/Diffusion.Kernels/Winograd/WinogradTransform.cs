using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>
/// The transforms of a 3×3 convolution whose outputs are computed 2×2 at a time with 16 multiplications for each pair of channels instead of 36. Values of neighbouring channels lie in a vector.
/// </summary>
/// <remarks>
/// Lavin and Gray, Fast Algorithms for Convolutional Neural Networks, arXiv:1509.09308, section 4.1, F(2×2, 3×3): Y = Aᵀ[(G g Gᵀ) ∘ (Bᵀ d B)]A with
/// Bᵀ = [1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1], G = [1 0 0; ½ ½ ½; ½ −½ ½; 0 0 1] and Aᵀ = [1 1 1 0; 0 1 −1 −1].
/// </remarks>
/// <typeparam name="TVector">The vectors that are computed with.</typeparam>
internal static unsafe class WinogradTransform<TVector>
    where TVector : unmanaged, IVector<TVector>
{
    /// <summary>A row of Bᵀ d B of 4×4 pixels d.</summary>
    /// <param name="pixels">Of each pixel its channels.</param>
    /// <param name="row">From 0 to 3.</param>
    /// <param name="channel">The first channel.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TVector A, TVector B, TVector C, TVector D) Input(float** pixels, int row, int channel)
    {
        float** first = pixels + (row == 0 ? 0 : row == 2 ? 8 : 4), second = pixels + (row is 0 or 1 ? 8 : row == 2 ? 4 : 12);
        var (a, b, c, d) = (TVector.Load(first[0] + channel), TVector.Load(first[1] + channel), TVector.Load(first[2] + channel), TVector.Load(first[3] + channel));
        var (e, f, g, h) = (TVector.Load(second[0] + channel), TVector.Load(second[1] + channel), TVector.Load(second[2] + channel), TVector.Load(second[3] + channel));
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
    public static void Output(float* points, long step, TVector start, bool adds, float** pixels, int channel)
    {
        TVector Before(int i) => adds ? start + TVector.Load(pixels[i] + channel) : start;
        TVector Point(int i) => TVector.Load(points + (i * step));
        var (a0, a1) = Sums(Point(0), Point(4), Point(8), Point(12));
        var (b0, b1) = Sums(Point(1), Point(5), Point(9), Point(13));
        var (c0, c1) = Sums(Point(2), Point(6), Point(10), Point(14));
        var (d0, d1) = Sums(Point(3), Point(7), Point(11), Point(15));
        var (top, topRight) = Sums(a0, b0, c0, d0);
        var (bottom, bottomRight) = Sums(a1, b1, c1, d1);
        TVector.Store(top + Before(0), pixels[0] + channel);
        TVector.Store(topRight + Before(1), pixels[1] + channel);
        TVector.Store(bottom + Before(2), pixels[2] + channel);
        TVector.Store(bottomRight + Before(3), pixels[3] + channel);
    }

    /// <summary>A row of A δ Aᵀ, the gradient of M, of 2×2 gradients δ of pixels.</summary>
    /// <param name="pixels">Of each of the four its channels.</param>
    /// <param name="row">From 0 to 3.</param>
    /// <param name="channel">The first channel.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (TVector A, TVector B, TVector C, TVector D) Direction(float** pixels, int row, int channel)
    {
        var (top, topRight) = (TVector.Load(pixels[0] + channel), TVector.Load(pixels[1] + channel));
        var (below, belowRight) = (TVector.Load(pixels[2] + channel), TVector.Load(pixels[3] + channel));
        var zero = default(TVector);
        var (one, other) = row switch { 0 => (top, topRight), 1 => (top + below, topRight + belowRight), 2 => (top - below, topRight - belowRight), _ => (zero - below, zero - belowRight) };
        return (one, one + other, one - other, zero - other); // A
    }

    /// <summary>G g Gᵀ of a kernel g, whose nine values are those of several pairs of channels each.</summary>
    /// <param name="kernel">9 vectors.</param>
    /// <param name="points">Written.</param>
    /// <param name="step">The floats from one to the next.</param>
    public static void Kernel(ReadOnlySpan<TVector> kernel, float* points, long step)
    {
        Span<TVector> rows = stackalloc TVector[12];
        for (var column = 0; column < 3; column++)
        {
            (rows[column], rows[column + 3], rows[column + 6], rows[column + 9]) = Halves(kernel[column], kernel[column + 3], kernel[column + 6]);
        }

        for (var row = 0; row < 4; row++, points += 4 * step)
        {
            var (first, second, third, fourth) = Halves(rows[3 * row], rows[(3 * row) + 1], rows[(3 * row) + 2]);
            TVector.Store(first, points);
            TVector.Store(second, points + step);
            TVector.Store(third, points + (2 * step));
            TVector.Store(fourth, points + (3 * step));
        }
    }

    /// <summary>Gᵀ U G: the gradient of a kernel from that of its points.</summary>
    /// <param name="points">16 vectors U.</param>
    /// <param name="kernel">Written: 9 vectors.</param>
    public static void KernelGradient(ReadOnlySpan<TVector> points, Span<TVector> kernel)
    {
        Span<TVector> rows = stackalloc TVector[12];
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
    private static (TVector A, TVector B, TVector C, TVector D) Differences(
        TVector a, TVector b, TVector c, TVector d) => (a - c, b + c, c - b, b - d); // Bᵀ

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TVector One, TVector Other) Sums(TVector a, TVector b, TVector c, TVector d) => (a + b + c, b - c - d); // Aᵀ

    private static (TVector A, TVector B, TVector C, TVector D) Halves(TVector a, TVector b, TVector c)
    {
        var half = TVector.Create(0.5f);
        var (middle, ends) = (b * half, (a + c) * half); // G
        return (a, ends + middle, ends - middle, c);
    }

    private static (TVector A, TVector B, TVector C) Joined(TVector a, TVector b, TVector c, TVector d)
    {
        var half = TVector.Create(0.5f);
        var (sum, difference) = ((b + c) * half, (b - c) * half); // Gᵀ
        return (a + sum, difference, sum + d);
    }
}
