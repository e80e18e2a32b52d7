namespace Diffusion.Models;

/// <summary>A matrix applied to every pixel of float32 images [B, C, pixels], on tiles, and its gradients.</summary>
internal static unsafe class PointwiseKernel
{
    /// <summary>The pixels that an image must have: those of a tile.</summary>
    public const int FewestPixels = TilePanels.Lanes;

    private const int Rows = 8;
    private const int PixelsOfPiece = 8 * TilePanels.Lanes;
    private const int Pieces = 8; // the same for any number of threads, so that sums are, too

    /// <summary>y = matrix · x + bias.</summary>
    /// <param name="matrix">[outChannels, inChannels], or its transpose.</param>
    /// <param name="transposed">Whether it is the transpose: that makes the gradient of the input from that of the output.</param>
    /// <param name="bias">[outChannels], or null.</param>
    /// <param name="x">[images, inChannels, pixels].</param>
    /// <param name="y">[images, outChannels, pixels]; written.</param>
    /// <param name="size">Images, channels in and out (of which the last is a multiple of 8), pixels.</param>
    public static void Map(float* matrix, bool transposed, float* bias, float* x, float* y, (int Images, int In, int Out, int Pixels) size)
    {
        var (rowStep, depthStep) = transposed ? (1, size.Out) : (size.In, 1);
        var product = TileProduct.For(new TileShape(IsNarrow: false, Rows, TilePanels.Lanes, rowStep, depthStep, TileStart.Sums) { ColumnStep = size.Pixels, SumStep = size.Pixels })!;
        var parts = Math.Max(1, size.Pixels / PixelsOfPiece);
        TileWork.Run(size.Images * parts, 0, (piece, _) =>
        {
            var (image, first) = (piece / parts, piece % parts * PixelsOfPiece);
            var end = piece % parts == parts - 1 ? size.Pixels : first + PixelsOfPiece; // the last piece takes what is left: a tile of another would overlap it while it is added to
            float* from = x + ((long)image * size.In * size.Pixels), to = y + ((long)image * size.Out * size.Pixels);
            for (var p = first; p < end; p += TilePanels.Lanes)
            {
                var pixel = Math.Min(p, end - TilePanels.Lanes); // the last tile overlaps the one before
                for (var channel = 0; channel < size.Out; channel++)
                {
                    new Span<float>(to + ((long)channel * size.Pixels) + pixel, TilePanels.Lanes).Fill(bias is null ? 0 : bias[channel]);
                }

                product.Run(matrix, from + pixel, to + pixel, size.Out, size.In);
            }
        });
    }

    /// <summary>The gradient of the matrix: Σ over images and pixels of direction · xᵀ.</summary>
    /// <param name="direction">[images, outChannels, pixels].</param>
    /// <param name="x">[images, inChannels, pixels].</param>
    /// <param name="gradient">[outChannels, inChannels]; written.</param>
    /// <param name="size">Images, channels in and out (multiples of 16 and of 8), pixels.</param>
    public static void OfMatrix(float* direction, float* x, float* gradient, (int Images, int In, int Out, int Pixels) size)
    {
        var lanes = TilePanels.LanesFor(size.In);
        var product = TileProduct.For(new TileShape(IsNarrow: false, Rows, lanes, size.Pixels, 1, TileStart.Sums) { ColumnStep = size.In, SumStep = size.In })!;
        var length = (long)size.Out * size.In;
        using var memory = TileScratch.Rent(Pieces * length);
        var sums = memory.Take(Pieces * length);
        TileWork.Run(Pieces, (long)size.In * PixelsOfPiece, (piece, scratch) =>
        {
            var (part, turned) = ((nint)(sums + (piece * length)), (nint)scratch.Take((long)size.In * PixelsOfPiece));
            new Span<float>((void*)part, (int)length).Clear();
            for (var image = size.Images * piece / Pieces; image < size.Images * (piece + 1) / Pieces; image++)
            {
                for (var first = 0; first < size.Pixels; first += PixelsOfPiece)
                {
                    var count = Math.Min(PixelsOfPiece, size.Pixels - first);
                    Transposition.Copy(x + ((long)image * size.In * size.Pixels) + first, size.Pixels, size.In, count, (float*)turned, size.In);
                    for (var channel = 0; channel < size.In; channel += lanes)
                    {
                        product.Run(direction + ((long)image * size.Out * size.Pixels) + first, (float*)turned + channel, (float*)part + channel, size.Out, count);
                    }
                }
            }
        });
        TileSums.OfParts(sums, Pieces, (int)length, gradient);
    }
}
