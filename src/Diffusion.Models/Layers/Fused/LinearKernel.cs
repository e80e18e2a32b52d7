namespace Diffusion.Models;

/// <summary>Products of tokens with the matrix of a linear map, in float32, on tiles.</summary>
internal static unsafe class LinearKernel
{
    /// <summary>The rows that an image must have: those of a tile.</summary>
    public const int FewestRows = Rows;

    private const int Rows = 8;
    private const int RowsOfPiece = 128;
    private const int Depth = 128; // of a sum before it is added up: what it reads fits into a first-level cache

    /// <summary>Whether this system lets programs write code.</summary>
    public static bool IsAvailable { get; } = AttentionTile.IsSupported && TileProduct.For(new TileShape(IsNarrow: false, Rows, TilePanels.Lanes, TilePanels.Lanes, 1, TileStart.Zero)) is not null;

    /// <summary>y[m, n] = bias[n] + Σ_k x[m, k] · b[k, n].</summary>
    /// <param name="x">At least 8 rows an image.</param>
    /// <param name="panels">b, as <see cref="TilePanels"/>.</param>
    /// <param name="bias">[columns], or null.</param>
    /// <param name="y">[images · rows, columns]; written.</param>
    /// <param name="depth">The features of x.</param>
    /// <param name="columns">A multiple of 32.</param>
    public static void Map(TokenRows x, float* panels, float* bias, float* y, int depth, int columns)
    {
        var shape = new TileShape(IsNarrow: false, Rows, TilePanels.Lanes, x.RowStep, x.FeatureStep, bias is null ? TileStart.Zero : TileStart.Bias) { SumStep = columns };
        var product = TileProduct.For(shape)!;
        var parts = (x.Rows + RowsOfPiece - 1) / RowsOfPiece;
        TileWork.Run(x.Images * parts, 0, (piece, _) =>
        {
            var (image, first) = (piece / parts, piece % parts * RowsOfPiece);
            var count = Math.Min(RowsOfPiece, x.Rows - first);
            first -= count < Rows ? Rows - count : 0; // the last rows together with some before them
            var whole = Math.Max(Rows, count / Rows * Rows);
            var to = y + ((((long)image * x.Rows) + first) * columns);
            for (var n = 0; n < columns; n += TilePanels.Lanes)
            {
                var panel = panels + ((long)n * depth);
                var start = bias is null ? null : bias + n;
                product.Run(x.At(image, first), panel, to + n, whole, depth, start);
                if (whole < count)
                {
                    product.Run(x.At(image, first + count - Rows), panel, to + ((long)(count - Rows) * columns) + n, Rows, depth, start);
                }
            }
        });
    }

    /// <summary>sums[i, j] = Σ_m a[m, i] · b[m, j], over all rows of all images.</summary>
    /// <param name="a">[images, rows, height].</param>
    /// <param name="b">As many rows; its features lie one after the other.</param>
    /// <param name="height">A multiple of 8.</param>
    /// <param name="width">A multiple of 32.</param>
    /// <param name="sums">[height, width]; written.</param>
    public static void Correlate(TokenRows a, TokenRows b, int height, int width, float* sums)
    {
        var shape = new TileShape(IsNarrow: false, Rows, TilePanels.Lanes, a.FeatureStep, a.RowStep, TileStart.Sums) { ColumnStep = b.RowStep, SumStep = width };
        var product = TileProduct.For(shape)!;
        const int pieces = 8; // the same for any number of threads, so that sums are, too
        var (size, total) = ((long)height * width, (long)a.Images * a.Rows);
        using var partial = new TileScratch(pieces * size);
        var parts = partial.Take(pieces * size);
        TileWork.Run(pieces, 0, (piece, _) =>
        {
            var part = parts + (piece * size);
            new Span<float>(part, (int)size).Clear();
            var end = total * (piece + 1) / pieces;
            for (var m = total * piece / pieces; m < end;)
            {
                var (image, row) = ((int)(m / a.Rows), (int)(m % a.Rows));
                var count = (int)Math.Min(Math.Min(Depth, end - m), a.Rows - row);
                for (var j = 0; j < width; j += TilePanels.Lanes)
                {
                    product.Run(a.At(image, row), b.At(image, row, j), part + j, height, count);
                }

                m += count;
            }
        });
        Add(parts, pieces, size, sums);
    }

    private static void Add(float* parts, int count, long size, float* sums)
    {
        for (long i = 0; i < size; i++)
        {
            var sum = 0f;
            for (var part = 0; part < count; part++)
            {
                sum += parts[(part * size) + i];
            }

            sums[i] = sum;
        }
    }
}
