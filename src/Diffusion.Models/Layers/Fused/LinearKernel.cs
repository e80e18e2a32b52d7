using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Models;

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

    /// <summary>Whether this machine can do it.</summary>
    public static bool IsAvailable { get; } = AttentionTile.IsSupported && (T.PerWord == 1 || TileProduct.MultipliesNarrow)
        && TileProduct.For(new TileShape(T.PerWord > 1, Rows, TilePanels.Lanes, TilePanels.Lanes, 1, TileStart.Zero)) is not null;

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
        var product = TileProduct.For(new TileShape(T.PerWord > 1, Rows, TilePanels.Lanes, x.RowStep, x.WordStep, start) { SumStep = step })!;
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
    /// <param name="width">A multiple of 32.</param>
    /// <param name="sums">[height, width]; written.</param>
    public static void Correlate(TokenRows a, TokenRows b, int height, int width, float* sums)
    {
        var product = T.PerWord == 1
            ? TileProduct.For(new TileShape(IsNarrow: false, Rows, TilePanels.Lanes, a.WordStep, a.RowStep, TileStart.Sums) { ColumnStep = b.RowStep, SumStep = width })!
            : TileProduct.For(new TileShape(IsNarrow: true, Rows, TilePanels.Lanes, 1, height, TileStart.Sums) { ColumnStep = width, SumStep = width })!;
        var (size, total) = ((long)height * width, (long)a.Images * a.Rows);
        using var partial = TileScratch.Rent(Pieces * size);
        var parts = partial.Take(Pieces * size);
        TileWork.Run(Pieces, T.PerWord == 1 ? 0 : Depth / 2 * (height + width), (piece, scratch) =>
        {
            var part = parts + (piece * size);
            new Span<float>(part, (int)size).Clear();
            var end = total * (piece + 1) / Pieces;
            for (var m = total * piece / Pieces; m < end;)
            {
                var (image, row) = ((int)(m / a.Rows), (int)(m % a.Rows));
                var count = (int)Math.Min(Math.Min(Depth, end - m), a.Rows - row);
                scratch.Reset();
                Add(a.At(image, row), b.At(image, row), count, height, width, part, product, scratch);
                m += count;
            }
        });
        TileSums.OfParts(parts, Pieces, (int)size, sums);
    }

    private static void Add(uint* a, uint* b, int count, int height, int width, float* sums, TileProduct product, TileScratch scratch)
    {
        var (left, right) = ((nint)a, (nint)b);
        if (T.PerWord > 1)
        {
            (left, right) = ((nint)Pairs((ushort*)a, count, height, scratch), (nint)Pairs((ushort*)b, count, width, scratch));
        }

        for (var j = 0; j < width; j += TilePanels.Lanes)
        {
            product.Run((void*)left, (uint*)right + j, sums + j, height, (count + T.PerWord - 1) / T.PerWord);
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
            Vector256.Store(AttentionTile.Narrowed(Vector512.Load(sums)), to);
            Vector256.Store(AttentionTile.Narrowed(Vector512.Load(sums + Vector512<float>.Count)), to + Vector512<float>.Count);
        }
    }
}
