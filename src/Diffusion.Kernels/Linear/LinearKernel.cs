using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>Products of tokens with the matrix of a linear map, on tiles.</summary>
/// <typeparam name="T">What tokens are, and products are computed in; sums are float32.</typeparam>
internal static unsafe class LinearKernel<T>
    where T : ITileFormat
{
    /// <summary>The rows that an image must have: those of a tile.</summary>
    public const int FewestRows = Rows;

    private const int Rows = 8;
    private const int RowsOfPiece = 128;
    private const int Depth = 128; // of a sum before it is added up: what it reads fits into a first-level cache
    private const int Pieces = 8; // the same for any number of threads, so that sums are, too

    /// <summary>y[m, n] = bias[n] + Σ_k x[m, k] · b[k, n].</summary>
    /// <param name="x">At least 8 rows an image.</param>
    /// <param name="panels">b, as <see cref="TilePanels"/>.</param>
    /// <param name="bias">[columns], or null.</param>
    /// <param name="y">[images · rows, columns], in the type of the tokens; written.</param>
    /// <param name="depth">The words of a row of x.</param>
    /// <param name="columns">A multiple of 32.</param>
    public static void Map(TokenRows x, uint* panels, float* bias, void* y, int depth, int columns)
    {
        var start = bias is null ? TileStart.Zero : TileStart.Bias;
        var step = T.PerWord == 1 ? columns : TilePanels.Lanes;
        var product = TileProduct.For(new TileShape(T.PerWord > 1, Rows, TilePanels.Lanes, x.RowStep, x.WordStep, start) { SumStep = step });
        var parts = (x.Rows + RowsOfPiece - 1) / RowsOfPiece;
        TileWork.Run(x.Images * parts, RowsOfPiece * TilePanels.Lanes, (piece, scratch) =>
        {
            var (image, first) = (piece / parts, piece % parts * RowsOfPiece);
            var count = Math.Min(RowsOfPiece, x.Rows - first);
            first -= Math.Max(0, Rows - count); // the last rows together with some before them
            count = Math.Max(count, Rows);
            var (row, sums) = (((long)image * x.Rows) + first, (nint)scratch.Take(RowsOfPiece * TilePanels.Lanes));
            for (var n = 0; n < columns; n += TilePanels.Lanes)
            {
                var to = T.PerWord == 1 ? (float*)y + (row * columns) + n : (float*)sums;
                var (panel, whole) = ((nint)(panels + ((long)n * depth)), count / Rows * Rows);
                product.Run(x.At(image, first), (void*)panel, to, whole, depth, bias is null ? null : bias + n);
                if (whole < count)
                {
                    product.Run(x.At(image, first + count - Rows), (void*)panel, to + ((long)(count - Rows) * step), Rows, depth, bias is null ? null : bias + n);
                }

                if (T.PerWord > 1)
                {
                    Narrow(to, count, (ushort*)y + (row * columns) + n, columns);
                }
            }
        });
    }

    /// <summary>sums[i, j] = Σ_m a[m, i] · b[m, j], over all rows of all images.</summary>
    /// <param name="a">[images, rows, height].</param>
    /// <param name="b">As many rows; its words lie one after the other, and those of a, too, unless they are floats.</param>
    /// <param name="height">A multiple of 8.</param>
    /// <param name="width">A multiple of 16.</param>
    /// <param name="sums">[height, width]; written.</param>
    public static void Correlate(TokenRows a, TokenRows b, int height, int width, float* sums)
    {
        var (size, total) = ((long)height * width, (long)a.Images * a.Rows);
        using var partial = TileScratch.Rent(Pieces * size);
        var parts = partial.Take(Pieces * size);
        TileWork.Run(Pieces, ScratchOfSums(height, width), (piece, scratch) =>
        {
            var part = parts + (piece * size);
            new Span<float>(part, (int)size).Clear();
            AddCorrelation(a, b, (total * piece / Pieces, total * (piece + 1) / Pieces), height, width, part, scratch);
        });
        TileSums.OfParts(parts, Pieces, size, (int)size, sums);
    }

    /// <summary>The memory that <see cref="AddCorrelation"/> needs.</summary>
    public static long ScratchOfSums(int height, int width) => T.PerWord == 1 ? 0 : Depth / 2 * (height + width);

    /// <summary>As <see cref="Correlate"/> for some of the rows, added to what the sums are.</summary>
    /// <param name="a">[images, rows, height].</param>
    /// <param name="b">As many rows.</param>
    /// <param name="rows">The first and the one after the last, of those of all images.</param>
    /// <param name="height">A multiple of 8; of 16 in bfloat16.</param>
    /// <param name="width">A multiple of 16.</param>
    /// <param name="sums">[height, width].</param>
    /// <param name="scratch">For this alone.</param>
    public static void AddCorrelation(TokenRows a, TokenRows b, (long First, long End) rows, int height, int width, float* sums, TileScratch scratch)
    {
        var lanes = TilePanels.LanesFor(width);
        var product = T.PerWord == 1
            ? TileProduct.For(new TileShape(IsNarrow: false, Rows, lanes, a.WordStep, a.RowStep, TileStart.Sums) { ColumnStep = b.RowStep, SumStep = width })
            : TileProduct.For(new TileShape(IsNarrow: true, Rows, lanes, 1, height, TileStart.Sums) { ColumnStep = width, SumStep = width });
        for (var m = rows.First; m < rows.End;)
        {
            var (image, row) = ((int)(m / a.Rows), (int)(m % a.Rows));
            var count = (int)Math.Min(Math.Min(Depth, rows.End - m), a.Rows - row);
            uint* left = a.At(image, row), right = b.At(image, row);
            if (T.PerWord > 1)
            {
                scratch.Reset();
                left = Pairs((ushort*)left, count, height, scratch);
                right = Pairs((ushort*)right, count, width, scratch);
            }

            for (var j = 0; j < width; j += lanes)
            {
                product.Run(left, right + j, sums + j, height, (count + T.PerWord - 1) / T.PerWord);
            }

            m += count;
        }
    }

    /// <summary>Rows of bfloat16 → words of two neighbouring rows; beside the last of an odd number stands 0.</summary>
    [MethodImpl(Loop.Alone)]
    private static uint* Pairs(ushort* rows, int count, int length, TileScratch scratch)
    {
        var pairs = scratch.TakeWords(Depth / 2 * length);
        var to = pairs;
        for (var row = 0; row < count; row += 2, rows += length)
        {
            for (var i = 0; i < length; i += Vector512<uint>.Count, rows += Vector512<uint>.Count, to += Vector512<uint>.Count)
            {
                var low = Avx512F.ConvertToVector512UInt32(Vector256.Load(rows));
                var high = row + 1 < count ? Avx512F.ConvertToVector512UInt32(Vector256.Load(rows + length)) << 16 : Vector512<uint>.Zero;
                Vector512.Store(low | high, to);
            }
        }

        return pairs;
    }

    [MethodImpl(Loop.Alone)]
    private static void Narrow(float* sums, int count, ushort* to, int step)
    {
        for (var row = 0; row < count; row++, sums += TilePanels.Lanes, to += step)
        {
            Vector256.Store(BFloat16Values.Narrowed(Vector512.Load(sums)), to);
            Vector256.Store(BFloat16Values.Narrowed(Vector512.Load(sums + Vector512<float>.Count)), to + Vector512<float>.Count);
        }
    }
}
