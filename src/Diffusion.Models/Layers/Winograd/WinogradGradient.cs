using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Models;

/// <summary>The gradient of the weights of a <see cref="WinogradKernel"/>.</summary>
internal static unsafe class WinogradGradient
{
    private const int Points = WinogradTransform.Points;
    private const int Vector = 16;
    private const int Pieces = 8; // the same for any number of threads, so that sums are, too
    private const int Kernel = 9;

    /// <summary>The products.</summary>
    /// <returns><see langword="null"/> where this system does not let programs write code.</returns>
    public static TileProduct? Product(int inChannels, int outChannels) => TileProduct.For(
        new TileShape(IsNarrow: false, 8, WinogradWeights.Lanes(inChannels), 1, Block(outChannels), TileStart.Sums) { ColumnStep = inChannels, SumStep = inChannels });

    /// <summary>The gradient of ⟨output, direction⟩.</summary>
    /// <param name="input">What entered, with some multiple of 16 channels.</param>
    /// <param name="direction">Images of the same size with some multiple of 16 channels.</param>
    /// <param name="weight">[channels of the direction, channels of the input, 3, 3]; written.</param>
    /// <param name="product">Of <see cref="Product"/>.</param>
    public static void OfWeight(WinogradImages input, WinogradImages direction, float* weight, TileProduct product)
    {
        var (depth, block) = (input.Channels, Block(direction.Channels));
        var blocks = direction.Channels / block;
        var (chunks, size) = (Math.Min(Math.Max(1, Pieces / blocks), input.Bands), (long)Points * block * depth);
        using var memory = new TileScratch(chunks * blocks * size);
        var all = memory.Take(chunks * blocks * size);
        var floats = ((long)input.PixelsOfBand * depth) + (2L * input.RowsOfBand * input.Width * block) + ((long)Points * input.TilesRounded * (depth + block)) + depth + block;
        TileWork.Run(chunks * blocks, floats + (6 * Vector), (piece, scratch) =>
        {
            var (chunk, first) = (piece / blocks, piece % blocks * block);
            var sums = all + (piece * size);
            new Span<float>(sums, (int)size).Clear();
            float* inputs = scratch.Take((long)Points * input.TilesRounded * depth), directions = scratch.Take((long)Points * input.TilesRounded * block);
            var rest = scratch.Mark();
            for (var band = (int)((long)input.Bands * chunk / chunks); band < (long)input.Bands * (chunk + 1) / chunks; band++)
            {
                scratch.Reset(rest);
                var count = WinogradKernel.Transform(input, band, inputs, scratch);
                Transform(direction, band, first, block, directions, scratch);
                for (var point = 0; point < Points; point++)
                {
                    for (var n = 0; n < depth; n += WinogradWeights.Lanes(depth))
                    {
                        product.Run(directions + ((long)point * input.TilesRounded * block), inputs + ((long)point * input.TilesRounded * depth) + n, sums + ((long)point * block * depth) + n, block, count);
                    }
                }
            }
        });
        TileWork.Run(direction.Channels, 0, (channel, _) =>
            Write(all + (channel / block * size) + ((long)(channel % block) * depth), (long)block * depth, chunks, blocks * size, depth, weight + ((long)channel * depth * Kernel)));
    }

    /// <summary>The channels of the output that one piece of work does.</summary>
    private static int Block(int outChannels) => outChannels % 64 == 0 ? 64 : outChannels;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Transform(WinogradImages images, int band, int first, int block, float* transformed, TileScratch scratch)
    {
        var step = (long)images.TilesRounded * block;
        float* pixels = scratch.Take(2L * images.RowsOfBand * images.Width * block), zeros = scratch.Take(block);
        new Span<float>(zeros, block).Clear();
        var corners = stackalloc float*[4];
        foreach (var part in images.Parts(band))
        {
            var (firstY, end) = (2 * part.First, Math.Min(images.Height, 2 * (part.First + part.Rows)));
            Transposition.Copy(images.Image(part.Image) + ((long)first * images.Pixels) + (firstY * images.Width), images.Pixels, block, (end - firstY) * images.Width, pixels, block);
            for (var tile = 0; tile < part.Rows * images.TilesAcross; tile++)
            {
                var (top, left) = (2 * (tile / images.TilesAcross), 2 * (tile % images.TilesAcross));
                for (var i = 0; i < 4; i++)
                {
                    var (y, x) = (top + (i / 2), left + (i % 2));
                    corners[i] = firstY + y >= images.Height || x >= images.Width ? zeros : pixels + ((((long)y * images.Width) + x) * block);
                }

                for (var channel = 0; channel < block; channel += Vector)
                {
                    WinogradTransform.Direction(corners, channel, transformed + ((long)(part.Tile + tile) * block) + channel, step);
                }
            }
        }
    }

    /// <summary>The kernels of one channel of the output, from the sums of all chunks.</summary>
    [SkipLocalsInit]
    private static void Write(float* sums, long pointStep, int chunks, long chunkStep, int depth, float* weight)
    {
        Span<Vector512<float>> points = stackalloc Vector512<float>[Points];
        Span<Vector512<float>> kernel = stackalloc Vector512<float>[Kernel];
        for (var channel = 0; channel < depth; channel += Vector)
        {
            for (var point = 0; point < Points; point++)
            {
                var sum = Vector512<float>.Zero;
                for (var chunk = 0; chunk < chunks; chunk++)
                {
                    sum += Vector512.Load(sums + (point * pointStep) + (chunk * chunkStep) + channel);
                }

                points[point] = sum;
            }

            WinogradTransform.KernelGradient(points, kernel);
            for (var i = 0; i < Kernel; i++)
            {
                for (var lane = 0; lane < Vector; lane++)
                {
                    weight[((channel + lane) * Kernel) + i] = kernel[i][lane];
                }
            }
        }
    }
}
