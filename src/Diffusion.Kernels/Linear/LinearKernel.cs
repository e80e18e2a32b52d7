using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>Products of tokens with the matrix of a linear map, on tiles. Tokens are float32 or bfloat16.</summary>
/// <typeparam name="T">What products are computed in; sums are float32.</typeparam>
/// <typeparam name="TVector">The vectors.</typeparam>
internal static unsafe class LinearKernel<T, TVector>
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    private const int RowsOfPiece = 128;
    private const int Depth = 128; // of a sum before it is added up: what it reads fits into a first-level cache
    private const int Pieces = 8; // the same for any number of threads, so that sums are, too

    /// <summary>y[m, n] = bias[n] + Σ_k x[m, k] · b[k, n].</summary>
    /// <param name="x">At least <see cref="TilePanels.Rows"/> rows an image.</param>
    /// <param name="panels">b, as <see cref="TilePanels"/>.</param>
    /// <param name="bias">[columns], or null.</param>
    /// <param name="y">[images · rows, columns], in the type of the tokens; written.</param>
    /// <param name="features">Of a row of x.</param>
    /// <param name="columns">A multiple of 32.</param>
    public static void Map(TokenRows x, uint* panels, float* bias, void* y, int features, int columns)
    {
        var (start, depth, widens) = (bias is null ? TileStart.Zero : TileStart.Bias, features / T.PerWord, Widens(x));
        var step = x.IsNarrow ? TilePanels.Lanes : columns;
        var (rowStep, depthStep) = widens ? (features, 1) : (x.RowStep / T.PerWord, x.ValueStep);
        var product = TileProduct.For<T, TVector>(new TileShape(TilePanels.Rows, TilePanels.Lanes, rowStep, depthStep, start) { SumStep = step });
        var parts = (x.Rows + RowsOfPiece - 1) / RowsOfPiece;
        TileWork.Run(x.Images * parts, RowsOfPiece * (TilePanels.Lanes + (widens ? features : 0)), (piece, scratch) =>
        {
            var (image, first) = (piece / parts, piece % parts * RowsOfPiece);
            var count = Math.Min(RowsOfPiece, x.Rows - first);
            first -= Math.Max(0, TilePanels.Rows - count); // the last rows together with some before them
            count = Math.Max(count, TilePanels.Rows);
            var (row, sums) = (((long)image * x.Rows) + first, (nint)scratch.Take(RowsOfPiece * TilePanels.Lanes));
            var (rows, whole) = ((nint)(widens ? Widened(x, image, first, count, features, scratch) : x.At(image, first)), count / TilePanels.Rows * TilePanels.Rows);
            for (var n = 0; n < columns; n += TilePanels.Lanes)
            {
                var to = x.IsNarrow ? (float*)sums : (float*)y + (row * columns) + n;
                var panel = (nint)(panels + ((long)n * depth));
                product.Run((void*)rows, (void*)panel, to, whole, depth, bias is null ? null : bias + n);
                if (whole < count)
                {
                    var last = count - TilePanels.Rows;
                    product.Run((uint*)rows + ((long)last * rowStep), (void*)panel, to + ((long)last * step), TilePanels.Rows, depth, bias is null ? null : bias + n);
                }

                if (x.IsNarrow)
                {
                    TileRows<TVector>.Copy(to, TilePanels.Lanes, count, TilePanels.Lanes, 1, (ushort*)y + (row * columns) + n, columns, TilePanels.Lanes);
                }
            }
        });
    }

    /// <summary>sums[i, j] = Σ_m a[m, i] · b[m, j], over all rows of all images.</summary>
    /// <param name="a">[images, rows, height].</param>
    /// <param name="b">As many rows, of values that lie one after the other.</param>
    /// <param name="height">A multiple of 8.</param>
    /// <param name="width">A multiple of 16.</param>
    /// <param name="sums">[height, width]; written.</param>
    public static void Correlate(TokenRows a, TokenRows b, int height, int width, float* sums)
    {
        var (size, total) = ((long)height * width, (long)a.Images * a.Rows);
        using var partial = TileScratch.Rent(Pieces * size);
        var parts = partial.Take(Pieces * size);
        TileWork.Run(Pieces, ScratchOfSums(a, height, width), (piece, scratch) =>
        {
            var part = parts + (piece * size);
            new Span<float>(part, (int)size).Clear();
            AddCorrelation(a, b, (total * piece / Pieces, total * (piece + 1) / Pieces), height, width, part, scratch);
        });
        TileSums<TVector>.OfParts(parts, Pieces, size, (int)size, sums);
    }

    /// <summary>The memory that <see cref="AddCorrelation"/> needs.</summary>
    public static long ScratchOfSums(TokenRows rows, int height, int width) => rows.IsNarrow ? (long)Depth / T.PerWord * (height + width) : 0;

    /// <summary>As <see cref="Correlate"/> for some of the rows, added to what the sums are.</summary>
    /// <param name="a">[images, rows, height].</param>
    /// <param name="b">As many rows, in the same type.</param>
    /// <param name="rows">The first and the one after the last, of those of all images.</param>
    /// <param name="height">A multiple of 8; of 16 in bfloat16.</param>
    /// <param name="width">A multiple of 16.</param>
    /// <param name="sums">[height, width].</param>
    /// <param name="scratch">For this alone.</param>
    public static void AddCorrelation(TokenRows a, TokenRows b, (long First, long End) rows, int height, int width, float* sums, TileScratch scratch)
    {
        var lanes = TilePanels.LanesFor(width);
        var (rowStep, depthStep, columnStep) = a.IsNarrow ? (1, height, width) : (a.ValueStep, a.RowStep, b.RowStep);
        var product = TileProduct.For<T, TVector>(new TileShape(TilePanels.Rows, lanes, rowStep, depthStep, TileStart.Sums) { ColumnStep = columnStep, SumStep = width });
        for (var m = rows.First; m < rows.End;)
        {
            var (image, row) = ((int)(m / a.Rows), (int)(m % a.Rows));
            var count = (int)Math.Min(Math.Min(Depth, rows.End - m), a.Rows - row);
            void* left = a.At(image, row), right = b.At(image, row);
            if (a.IsNarrow)
            {
                scratch.Reset();
                left = T.PerWord > 1 ? Pairs((ushort*)left, count, height, scratch) : Widened(a, image, row, count, height, scratch);
                right = T.PerWord > 1 ? Pairs((ushort*)right, count, width, scratch) : Widened(b, image, row, count, width, scratch);
            }

            for (var j = 0; j < width; j += lanes)
            {
                product.Run(left, (uint*)right + j, sums + j, height, (count + T.PerWord - 1) / T.PerWord);
            }

            m += count;
        }
    }

    private static bool Widens(TokenRows rows) => rows.IsNarrow && T.PerWord == 1;

    /// <summary>Rows of bfloat16 as floats, [count, length].</summary>
    private static float* Widened(TokenRows rows, int image, int first, int count, int length, TileScratch scratch)
    {
        var wide = scratch.Take((long)count * length);
        TileRows<TVector>.Copy((ushort*)rows.At(image, first), rows.RowStep, count, length, 1, wide, length, length);
        return wide;
    }

    /// <summary>Rows of bfloat16 → words of two neighbouring rows; beside the last of an odd number stands 0.</summary>
    [MethodImpl(Loop.Alone)]
    private static uint* Pairs(ushort* rows, int count, int length, TileScratch scratch)
    {
        var pairs = scratch.TakeWords(Depth / 2 * length);
        var to = pairs;
        for (var row = 0; row < count; row += 2, rows += length)
        {
            for (var i = 0; i < length; i += TVector.Count, rows += TVector.Count, to += TVector.Count)
            {
                TVector.StorePairs(TVector.Load(rows), row + 1 < count ? TVector.Load(rows + length) : default, to);
            }
        }

        return pairs;
    }
}
