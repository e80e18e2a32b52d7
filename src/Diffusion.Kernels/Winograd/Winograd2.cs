using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>F(2×2, 3×3): 16 multiplications for four outputs instead of 36, and its gradients.</summary>
/// <remarks>
/// Section 4.1 of what <see cref="IWinogradForm"/> names:
/// Bᵀ = [1 0 −1 0; 0 1 1 0; 0 −1 1 0; 0 1 0 −1], G = [1 0 0; ½ ½ ½; ½ −½ ½; 0 0 1] and Aᵀ = [1 1 1 0; 0 1 −1 −1].
/// </remarks>
internal readonly unsafe struct Winograd2 : IWinogradForm
{
    /// <inheritdoc/>
    public static int Outputs => 2;

    /// <inheritdoc/>
    public static int Side => 4;

    /// <inheritdoc/>
    public static int Points => 16;

    /// <inheritdoc/>
    public static int MinTilesOfBand => WinogradImages.MaxTilesOfBand;

    /// <inheritdoc/>
    public static int ChannelsOfSum => int.MaxValue;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Input<T, TVector>(float** one, int channel, float** other, int otherChannel, uint* to, long step)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        Input<T, TVector>(one, channel, other, otherChannel, 0, to, step);
        Input<T, TVector>(one, channel, other, otherChannel, 1, to, step);
        Input<T, TVector>(one, channel, other, otherChannel, 2, to, step);
        Input<T, TVector>(one, channel, other, otherChannel, 3, to, step);
    }

    /// <summary>A δ Aᵀ as words: the gradient of the points, of 2×2 gradients δ of pixels.</summary>
    /// <param name="one">Of each pixel of δ its channels.</param>
    /// <param name="other">The pixels of what comes second in a word, where it has two values.</param>
    /// <param name="channel">The first channel.</param>
    /// <param name="to">The first point; written.</param>
    /// <param name="step">The words from a point to the next.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Direction<T, TVector>(float** one, float** other, int channel, uint* to, long step)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        Direction<T, TVector>(one, other, channel, 0, to, step);
        Direction<T, TVector>(one, other, channel, 1, to, step);
        Direction<T, TVector>(one, other, channel, 2, to, step);
        Direction<T, TVector>(one, other, channel, 3, to, step);
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Output<TVector>(float* points, long step, TVector start, bool adds, float** pixels, int channel)
        where TVector : unmanaged, IVector<TVector>
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        TVector Before(int i) => adds ? start + TVector.Load(pixels[i] + channel) : start;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
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

    /// <inheritdoc/>
    [SkipLocalsInit]
    [MethodImpl(Loop.Alone)]
    public static void Kernel<TVector>(TVector* kernel, TVector* points)
        where TVector : unmanaged, IVector<TVector>
    {
        var rows = stackalloc TVector[12];
        for (var column = 0; column < 3; column++)
        {
            (rows[column], rows[column + 3], rows[column + 6], rows[column + 9]) = Halves(kernel[column], kernel[column + 3], kernel[column + 6]);
        }

        for (var row = 0; row < 4; row++, points += 4)
        {
            (points[0], points[1], points[2], points[3]) = Halves(rows[3 * row], rows[(3 * row) + 1], rows[(3 * row) + 2]);
        }
    }

    /// <summary>Gᵀ U G: the gradient of a kernel from that of its points.</summary>
    /// <param name="points">The points U.</param>
    /// <param name="kernel">Written: 9 vectors.</param>
    [SkipLocalsInit]
    [MethodImpl(Loop.Alone)]
    public static void KernelGradient<TVector>(TVector* points, TVector* kernel)
        where TVector : unmanaged, IVector<TVector>
    {
        var rows = stackalloc TVector[12];
        for (var column = 0; column < 4; column++)
        {
            (rows[column], rows[column + 4], rows[column + 8]) = Joined(points[column], points[column + 4], points[column + 8], points[column + 12]);
        }

        for (var row = 0; row < 3; row++)
        {
            (kernel[3 * row], kernel[(3 * row) + 1], kernel[(3 * row) + 2]) = Joined(rows[4 * row], rows[(4 * row) + 1], rows[(4 * row) + 2], rows[(4 * row) + 3]);
        }
    }

    /// <summary>A row of points, which has to be a constant: it is compiled for each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Input<T, TVector>(float** one, int channel, float** other, int otherChannel, int row, uint* to, long step)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var low = Input<TVector>(one, row, channel);
        Store<T, TVector>(low, T.PerWord == 1 ? low : Input<TVector>(other, row, otherChannel), to + (4 * row * step), step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TVector A, TVector B, TVector C, TVector D) Input<TVector>(float** pixels, int row, int channel)
        where TVector : unmanaged, IVector<TVector>
    {
        float** first = pixels + (row == 0 ? 0 : row == 2 ? 8 : 4), second = pixels + (row is 0 or 1 ? 8 : row == 2 ? 4 : 12);
        var (a, b, c, d) = (TVector.Load(first[0] + channel), TVector.Load(first[1] + channel), TVector.Load(first[2] + channel), TVector.Load(first[3] + channel));
        var (e, f, g, h) = (TVector.Load(second[0] + channel), TVector.Load(second[1] + channel), TVector.Load(second[2] + channel), TVector.Load(second[3] + channel));
        return row == 1 ? Differences(a + e, b + f, c + g, d + h) : Differences(a - e, b - f, c - g, d - h);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Direction<T, TVector>(float** one, float** other, int channel, int row, uint* to, long step)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var low = Direction<TVector>(one, row, channel);
        Store<T, TVector>(low, T.PerWord == 1 ? low : Direction<TVector>(other, row, channel), to + (4 * row * step), step);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TVector A, TVector B, TVector C, TVector D) Direction<TVector>(float** pixels, int row, int channel)
        where TVector : unmanaged, IVector<TVector>
    {
        var (top, topRight) = (TVector.Load(pixels[0] + channel), TVector.Load(pixels[1] + channel));
        var (below, belowRight) = (TVector.Load(pixels[2] + channel), TVector.Load(pixels[3] + channel));
        var zero = default(TVector);
        var (one, other) = row switch { 0 => (top, topRight), 1 => (top + below, topRight + belowRight), 2 => (top - below, topRight - belowRight), _ => (zero - below, zero - belowRight) };
        return (one, one + other, one - other, zero - other); // A
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<T, TVector>((TVector A, TVector B, TVector C, TVector D) one, (TVector A, TVector B, TVector C, TVector D) other, uint* to, long step)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        TileValues<TVector>.StoreWord<T>(one.A, other.A, to);
        TileValues<TVector>.StoreWord<T>(one.B, other.B, to + step);
        TileValues<TVector>.StoreWord<T>(one.C, other.C, to + (2 * step));
        TileValues<TVector>.StoreWord<T>(one.D, other.D, to + (3 * step));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TVector A, TVector B, TVector C, TVector D) Differences<TVector>(TVector a, TVector b, TVector c, TVector d)
        where TVector : unmanaged, IVector<TVector> => (a - c, b + c, c - b, b - d); // Bᵀ

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (TVector One, TVector Other) Sums<TVector>(TVector a, TVector b, TVector c, TVector d)
        where TVector : unmanaged, IVector<TVector> => (a + b + c, b - c - d); // Aᵀ

    private static (TVector A, TVector B, TVector C, TVector D) Halves<TVector>(TVector a, TVector b, TVector c)
        where TVector : unmanaged, IVector<TVector>
    {
        var half = TVector.Create(0.5f);
        var (middle, ends) = (b * half, (a + c) * half); // G
        return (a, ends + middle, ends - middle, c);
    }

    private static (TVector A, TVector B, TVector C) Joined<TVector>(TVector a, TVector b, TVector c, TVector d)
        where TVector : unmanaged, IVector<TVector>
    {
        var half = TVector.Create(0.5f);
        var (sum, difference) = ((b + c) * half, (b - c) * half); // Gᵀ
        return (a + sum, difference, sum + d);
    }
}
