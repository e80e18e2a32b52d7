using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>A matrix applied to every pixel of images [B, C, pixels] in float32 or bfloat16, on tiles, and its gradients.</summary>
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
        var product = TileProduct.For(new TileShape(IsNarrow: false, Rows, TilePanels.Lanes, rowStep, depthStep, TileStart.Sums) { ColumnStep = size.Pixels, SumStep = size.Pixels });
        var blocks = Math.Max(1, size.Pixels / PixelsOfPiece);
        var parts = TileWork.Parts(size.Images * blocks, size.Out / Rows);
        TileWork.Run(size.Images * blocks * parts, 0, new Float32Pixels(matrix, rowStep, bias, x, y, size, product, blocks, parts));
    }

    /// <summary>y = matrix · x + bias, in bfloat16 with sums in float32.</summary>
    /// <param name="matrix">[outChannels, inChannels].</param>
    /// <param name="bias">[outChannels], or null.</param>
    /// <param name="x">[images, inChannels, pixels].</param>
    /// <param name="y">[images, outChannels, pixels]; written.</param>
    /// <param name="size">Images, channels in and out (even, and a multiple of 8), pixels.</param>
    public static void Map(ushort* matrix, float* bias, ushort* x, ushort* y, (int Images, int In, int Out, int Pixels) size)
    {
        var depth = size.In / 2;
        var product = TileProduct.For(new TileShape(IsNarrow: true, Rows, TilePanels.Lanes, depth, 1, TileStart.Zero));
        var blocks = Math.Max(1, size.Pixels / PixelsOfPiece);
        var parts = TileWork.Parts(size.Images * blocks, size.Out / Rows);
        var channels = size.Out / parts;
        TileWork.Run(size.Images * blocks * parts, (depth + channels) * TilePanels.Lanes, new BFloat16Pixels(matrix, bias, x, y, size, product, blocks, parts));
    }

    /// <summary>The gradient of the matrix: Σ over images and pixels of direction · xᵀ.</summary>
    /// <param name="direction">[images, outChannels, pixels].</param>
    /// <param name="x">[images, inChannels, pixels].</param>
    /// <param name="gradient">[outChannels, inChannels]; written.</param>
    /// <param name="size">Images, channels in and out (multiples of 16 and of 8), pixels.</param>
    public static void OfMatrix(float* direction, float* x, float* gradient, (int Images, int In, int Out, int Pixels) size) => OfMatrix(direction, x, gradient, size, narrow: false);

    /// <summary>The same of images in bfloat16.</summary>
    /// <param name="direction">[images, outChannels, pixels].</param>
    /// <param name="x">[images, inChannels, pixels].</param>
    /// <param name="gradient">[outChannels, inChannels]; written.</param>
    /// <param name="size">Images, channels in and out (multiples of 16 and of 8), pixels (an even number).</param>
    public static void OfMatrix(ushort* direction, ushort* x, float* gradient, (int Images, int In, int Out, int Pixels) size) =>
        OfMatrix((float*)direction, (float*)x, gradient, size with { Pixels = size.Pixels / 2 }, narrow: true); // words of two pixels

    private static void OfMatrix(float* direction, float* x, float* gradient, (int Images, int In, int Out, int Pixels) size, bool narrow)
    {
        var lanes = TilePanels.LanesFor(size.In);
        var product = TileProduct.For(new TileShape(narrow, Rows, lanes, size.Pixels, 1, TileStart.Sums) { ColumnStep = size.In, SumStep = size.In });
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
        TileSums.OfParts(sums, Pieces, length, (int)length, gradient);
    }

    /// <summary>32 pixels of pairs of channels as words.</summary>
    [MethodImpl(Loop.Alone)]
    private static void Pair(ushort* channels, int step, int pairs, uint* words)
    {
        for (var pair = 0; pair < pairs; pair++, channels += 2 * step)
        {
            for (var i = 0; i < TilePanels.Lanes; i += Vector512<uint>.Count, words += Vector512<uint>.Count)
            {
                var (one, other) = (Avx512F.ConvertToVector512UInt32(Vector256.Load(channels + i)), Avx512F.ConvertToVector512UInt32(Vector256.Load(channels + step + i)));
                Vector512.Store(one | (other << 16), words);
            }
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Write(float* sums, float* bias, int channels, ushort* to, int step)
    {
        for (var channel = 0; channel < channels; channel++, to += step)
        {
            var start = Vector512.Create(bias == null ? 0 : bias[channel]);
            for (var i = 0; i < TilePanels.Lanes; i += Vector512<float>.Count, sums += Vector512<float>.Count)
            {
                TileValues.Store(Vector512.Load(sums) + start, to + i);
            }
        }
    }

    /// <summary>Some pixels of an image, to some channels, in each piece.</summary>
    private readonly struct Float32Pixels(float* matrix, int rowStep, float* bias, float* x, float* y, (int Images, int In, int Out, int Pixels) size, TileProduct product, int blocks, int parts) : ITileWork
    {
        public void Do(int piece, TileScratch scratch)
        {
            var channels = size.Out / parts;
            var (image, first, firstChannel) = (piece / parts / blocks, piece / parts % blocks * PixelsOfPiece, piece % parts * channels);
            var end = piece / parts % blocks == blocks - 1 ? size.Pixels : first + PixelsOfPiece; // the last piece takes what is left: a tile of another would overlap it while it is added to
            float* from = x + ((long)image * size.In * size.Pixels), to = y + ((long)image * size.Out * size.Pixels);
            for (var p = first; p < end; p += TilePanels.Lanes)
            {
                var pixel = Math.Min(p, end - TilePanels.Lanes); // the last tile overlaps the one before
                for (var channel = firstChannel; channel < firstChannel + channels; channel++)
                {
                    new Span<float>(to + ((long)channel * size.Pixels) + pixel, TilePanels.Lanes).Fill(bias is null ? 0 : bias[channel]);
                }

                product.Run(matrix + ((long)firstChannel * rowStep), from + pixel, to + ((long)firstChannel * size.Pixels) + pixel, channels, size.In);
            }
        }
    }

    /// <summary>The same in bfloat16.</summary>
    private readonly struct BFloat16Pixels(ushort* matrix, float* bias, ushort* x, ushort* y, (int Images, int In, int Out, int Pixels) size, TileProduct product, int blocks, int parts) : ITileWork
    {
        public void Do(int piece, TileScratch scratch)
        {
            var (depth, channels) = (size.In / 2, size.Out / parts);
            var (image, first, channel) = (piece / parts / blocks, piece / parts % blocks * PixelsOfPiece, piece % parts * channels);
            var end = piece / parts % blocks == blocks - 1 ? size.Pixels : first + PixelsOfPiece;
            var (words, sums) = ((nint)scratch.TakeWords((long)depth * TilePanels.Lanes), (nint)scratch.Take((long)channels * TilePanels.Lanes));
            for (var p = first; p < end; p += TilePanels.Lanes)
            {
                var pixel = Math.Min(p, end - TilePanels.Lanes);
                Pair(x + ((long)image * size.In * size.Pixels) + pixel, size.Pixels, depth, (uint*)words);
                product.Run(matrix + ((long)channel * size.In), (void*)words, (float*)sums, channels, depth);
                Write((float*)sums, bias == null ? null : bias + channel, channels, y + ((((long)image * size.Out) + channel) * size.Pixels) + pixel, size.Pixels);
            }
        }
    }
}
