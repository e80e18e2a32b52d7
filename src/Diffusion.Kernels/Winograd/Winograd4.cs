using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>
/// F(4×4, 3×3): 36 multiplications for sixteen outputs instead of 144, by the polynomials' values at 0, ±⅝, ±3/2 and ∞, which round less than at 0, ±1, ±2 and ∞. Rounding is still some three times that of
/// <see cref="Winograd2"/>: enough for outputs in float32, too much for gradients and where points are rounded to bfloat16. Words have one value.
/// </summary>
/// <remarks><see cref="IWinogradForm"/>; the transforms are those of Toom and Cook for these values, written with what two values of opposite sign share.</remarks>
internal readonly unsafe struct Winograd4 : IWinogradForm
{
    private const float A = 0.625f;
    private const float B = 1.5f;
    private const float A2 = A * A;
    private const float B2 = B * B;
    private const float Product = A2 * B2;
    private const float Sum = A2 + B2;

    // What the kernel's polynomial is divided by at ±A and ±B: the product of the distances to the other places.
    private const double AtA = 2.0 * A2 * (A2 - B2);
    private const double AtB = 2.0 * B2 * (B2 - A2);

    /// <inheritdoc/>
    public static int Outputs => 4;

    /// <inheritdoc/>
    public static int Side => 6;

    /// <inheritdoc/>
    public static int Points => 36;

    /// <inheritdoc/>
    public static int MinTilesOfBand => 16;

    /// <inheritdoc/>
    public static int ChannelsOfSum => 32;

    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(Loop.Alone)]
    public static void Input<T, TVector>(float** one, int channel, float** other, int otherChannel, uint* to, long step)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        Debug.Assert(T.PerWord == 1, "A word has one value: in bfloat16 this form rounds too much.");
        var rows = Aligned<TVector>(stackalloc byte[Bytes<TVector>()]); // 6×6
        for (var column = 0; column < 6; column++)
        {
            Seen(
                Pixel(0), Pixel(1), Pixel(2), Pixel(3), Pixel(4), Pixel(5),
                out rows[column], out rows[6 + column], out rows[12 + column], out rows[18 + column], out rows[24 + column], out rows[30 + column]);

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            TVector Pixel(int row) => TVector.Load(one[(6 * row) + column] + channel);
        }

        for (var row = 0; row < 6; row++, rows += 6, to += 6 * step)
        {
            Seen(rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], out var first, out var second, out var third, out var fourth, out var fifth, out var sixth);
            TVector.Store(first, (float*)to);
            TVector.Store(second, (float*)(to + step));
            TVector.Store(third, (float*)(to + (2 * step)));
            TVector.Store(fourth, (float*)(to + (3 * step)));
            TVector.Store(fifth, (float*)(to + (4 * step)));
            TVector.Store(sixth, (float*)(to + (5 * step)));
        }
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(Loop.Alone)]
    public static void Output<TVector>(float* points, long step, TVector start, bool adds, float** pixels, int channel)
        where TVector : unmanaged, IVector<TVector>
    {
        var rows = Aligned<TVector>(stackalloc byte[Bytes<TVector>()]); // 4×6
        for (var column = 0; column < 6; column++, points += step)
        {
            Joined(Point(0), Point(1), Point(2), Point(3), Point(4), Point(5), out rows[column], out rows[6 + column], out rows[12 + column], out rows[18 + column]);

            [MethodImpl(MethodImplOptions.AggressiveInlining)]
            TVector Point(int row) => TVector.Load(points + (6 * row * step));
        }

        for (var row = 0; row < 4; row++, rows += 6, pixels += 4)
        {
            Joined(rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], out var first, out var second, out var third, out var fourth);
            Put(first, pixels[0]);
            Put(second, pixels[1]);
            Put(third, pixels[2]);
            Put(fourth, pixels[3]);
        }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        void Put(TVector value, float* pixel) => TVector.Store(value + (adds ? start + TVector.Load(pixel + channel) : start), pixel + channel);
    }

    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(Loop.Alone)]
    public static void Kernel<TVector>(TVector* kernel, TVector* points)
        where TVector : unmanaged, IVector<TVector>
    {
        var rows = stackalloc TVector[18]; // 6×3
        for (var column = 0; column < 3; column++)
        {
            Valued(kernel[column], kernel[column + 3], kernel[column + 6], rows + column, 3);
        }

        for (var row = 0; row < 6; row++)
        {
            Valued(rows[3 * row], rows[(3 * row) + 1], rows[(3 * row) + 2], points + (6 * row), 1);
        }
    }

    /// <summary>Bᵀ d of six values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Seen<TVector>(
        TVector d0, TVector d1, TVector d2, TVector d3, TVector d4, TVector d5, out TVector at0, out TVector atA, out TVector atMinusA, out TVector atB, out TVector atMinusB, out TVector atInfinity)
        where TVector : unmanaged, IVector<TVector>
    {
        var (product, sum) = (TVector.Create(Product), TVector.Create(-Sum));
        at0 = TVector.FusedMultiplyAdd(product, d0, TVector.FusedMultiplyAdd(sum, d2, d4));
        Pair(TVector.FusedMultiplyAdd(TVector.Create(-B2), d2, d4), TVector.FusedMultiplyAdd(TVector.Create(-B2), d1, d3), A, out atA, out atMinusA);
        Pair(TVector.FusedMultiplyAdd(TVector.Create(-A2), d2, d4), TVector.FusedMultiplyAdd(TVector.Create(-A2), d1, d3), B, out atB, out atMinusB);
        atInfinity = TVector.FusedMultiplyAdd(product, d1, TVector.FusedMultiplyAdd(sum, d3, d5));
    }

    /// <summary>The values of a polynomial at x and −x from its even part and its odd part over x.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Pair<TVector>(TVector even, TVector odd, float x, out TVector at, out TVector atMinus)
        where TVector : unmanaged, IVector<TVector>
    {
        at = TVector.FusedMultiplyAdd(TVector.Create(x), odd, even);
        atMinus = TVector.FusedMultiplyAdd(TVector.Create(-x), odd, even);
    }

    /// <summary>Aᵀ m of six values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Joined<TVector>(
        TVector m0, TVector m1, TVector m2, TVector m3, TVector m4, TVector m5, out TVector first, out TVector second, out TVector third, out TVector fourth)
        where TVector : unmanaged, IVector<TVector>
    {
        var (sumA, differenceA, sumB, differenceB) = (m1 + m2, m1 - m2, m3 + m4, m3 - m4);
        first = m0 + (sumA + sumB);
        second = TVector.FusedMultiplyAdd(TVector.Create(B), differenceB, TVector.Create(A) * differenceA);
        third = TVector.FusedMultiplyAdd(TVector.Create(B2), sumB, TVector.Create(A2) * sumA);
        fourth = TVector.FusedMultiplyAdd(TVector.Create(B2 * B), differenceB, TVector.FusedMultiplyAdd(TVector.Create(A2 * A), differenceA, m5));
    }

    /// <summary>G g of three values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Valued<TVector>(TVector g0, TVector g1, TVector g2, TVector* to, int step)
        where TVector : unmanaged, IVector<TVector>
    {
        to[0] = TVector.Create(1 / Product) * g0;
        to[5 * step] = g2;
        var (even, odd) = (TVector.FusedMultiplyAdd(TVector.Create(A2), g2, g0) * TVector.Create((float)(1 / AtA)), g1 * TVector.Create((float)(A / AtA)));
        to[step] = even + odd;
        to[2 * step] = even - odd;
        (even, odd) = (TVector.FusedMultiplyAdd(TVector.Create(B2), g2, g0) * TVector.Create((float)(1 / AtB)), g1 * TVector.Create((float)(B / AtB)));
        to[3 * step] = even + odd;
        to[4 * step] = even - odd;
    }

    private static int Bytes<TVector>()
        where TVector : unmanaged => (Points + 1) * sizeof(TVector);

    /// <summary>The first place of whole vectors, which then lie within a cache line each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static TVector* Aligned<TVector>(Span<byte> memory)
        where TVector : unmanaged => (TVector*)(((nint)Unsafe.AsPointer(ref memory[0]) + sizeof(TVector) - 1) & -sizeof(TVector));
}
