using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="PointwiseKernel"/> in a format.</summary>
/// <typeparam name="T">What products are computed in; sums are float32.</typeparam>
/// <typeparam name="TVector">The vectors.</typeparam>
internal sealed unsafe class PointwiseKernel<T, TVector> : PointwiseKernel
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    private const int Rows = TilePanels.Rows;
    private const int PixelsOfPiece = 8 * TilePanels.Lanes;
    private const int Pieces = 8; // the same for any number of threads, so that sums are, too

    /// <inheritdoc/>
    public override void Map(Tensor matrix, bool transposed, float* bias, nint x, nint y, bool isNarrow, (int Images, int In, int Out, int Pixels) size)
    {
        using var pointers = TensorMemory.Use();
        var blocks = Math.Max(1, size.Pixels / PixelsOfPiece);
        var parts = TileWork.Parts(size.Images * blocks, size.Out / Rows);
        var (rowStep, depthStep) = transposed ? (1, size.Out) : (size.In, 1);
        if (!isNarrow)
        {
            var shape = new TileShape(Rows, TilePanels.Lanes, rowStep, depthStep, TileStart.Sums) { ColumnStep = size.Pixels, SumStep = size.Pixels };
            TileWork.Run(size.Images * blocks * parts, 0, new WidePixels(TensorMemory.Of<float>(matrix), rowStep, bias, (float*)x, (float*)y, size, TileProduct.For<T, TVector>(shape), blocks, parts));
            return;
        }

        using var scope = PreparedWeights.AreKept ? null : NewDisposeScope();
        var depth = size.In / T.PerWord;
        if (T.PerWord > 1)
        {
            matrix = Rounded(matrix, transposed);
            (rowStep, depthStep) = (depth, 1);
        }

        var product = TileProduct.For<T, TVector>(new TileShape(Rows, TilePanels.Lanes, rowStep, depthStep, TileStart.Zero));
        TileWork.Run(
            size.Images * blocks * parts,
            (depth + (size.Out / parts)) * TilePanels.Lanes,
            new NarrowPixels(TensorMemory.Of<uint>(matrix), rowStep, bias, (ushort*)x, (ushort*)y, size, product, blocks, parts));
    }

    /// <inheritdoc/>
    public override void OfMatrix(nint direction, nint x, bool isNarrow, float* gradient, (int Images, int In, int Out, int Pixels) size)
    {
        if (T.PerWord > 1 && size.Pixels % T.PerWord > 0)
        {
            TileKernel<PointwiseKernel>.For(multipliesNarrow: false).OfMatrix(direction, x, isNarrow, gradient, size); // no whole words
            return;
        }

        var (lanes, length, widens) = (TilePanels.LanesFor(size.In), (long)size.Out * size.In, isNarrow && T.PerWord == 1);
        var (step, ofPiece) = (size.Pixels / T.PerWord, PixelsOfPiece / (widens ? 2 : 1)); // in words
        var product = TileProduct.For<T, TVector>(new TileShape(Rows, lanes, widens ? ofPiece : step, 1, TileStart.Sums) { ColumnStep = size.In, SumStep = size.In });
        using var memory = TileScratch.Rent(Pieces * length);
        var sums = memory.Take(Pieces * length);
        TileWork.Run(Pieces, (size.In + (widens ? size.Out : 0L)) * ofPiece, (piece, scratch) =>
        {
            var (part, turned) = ((nint)(sums + (piece * length)), (nint)scratch.Take((long)size.In * ofPiece));
            var wide = (nint)(widens ? scratch.Take((long)size.Out * ofPiece) : null);
            new Span<float>((void*)part, (int)length).Clear();
            for (var image = size.Images * piece / Pieces; image < size.Images * (piece + 1) / Pieces; image++)
            {
                for (var first = 0; first < step; first += ofPiece)
                {
                    var count = Math.Min(ofPiece, step - first);
                    var (from, left) = (((long)image * size.In * step) + first, ((long)image * size.Out * step) + first);
                    if (widens)
                    {
                        Transposition<TVector>.Copy((ushort*)x + from, step, size.In, count, (float*)turned, size.In);
                        TileRows<TVector>.Copy((ushort*)direction + left, step, size.Out, count, 1, (float*)wide, ofPiece, count);
                    }
                    else
                    {
                        Transposition<TVector>.Copy((float*)x + from, step, size.In, count, (float*)turned, size.In);
                    }

                    var rows = widens ? (float*)wide : (float*)direction + left;
                    for (var channel = 0; channel < size.In; channel += lanes)
                    {
                        product.Run(rows, (float*)turned + channel, (float*)part + channel, size.Out, count);
                    }
                }
            }
        });
        TileSums<TVector>.OfParts(sums, Pieces, length, (int)length, gradient);
    }

    /// <summary>The matrix in bfloat16, [outChannels, inChannels]. It belongs to the run or to the current dispose scope, and to the latter where it is turned around.</summary>
    private static Tensor Rounded(Tensor matrix, bool transposed) => transposed ? matrix.flatten(1).t().to(ScalarType.BFloat16).contiguous() : MixedPrecision.Round(matrix);

    /// <summary>32 pixels of channels in bfloat16 as words [channels / values in a word, 32]: of pairs of channels, or floats.</summary>
    [MethodImpl(Loop.Alone)]
    private static void Pack(ushort* channels, int step, int depth, uint* words)
    {
        for (var row = 0; row < depth; row++, channels += T.PerWord * step)
        {
            for (var i = 0; i < TilePanels.Lanes; i += TVector.Count, words += TVector.Count)
            {
                var values = TVector.Load(channels + i);
                if (T.PerWord == 1)
                {
                    TVector.Store(values, (float*)words);
                }
                else
                {
                    TVector.StorePairs(values, TVector.Load(channels + step + i), words);
                }
            }
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Write(float* sums, float* bias, int channels, ushort* to, int step)
    {
        for (var channel = 0; channel < channels; channel++, to += step)
        {
            var start = TVector.Create(bias == null ? 0 : bias[channel]);
            for (var i = 0; i < TilePanels.Lanes; i += TVector.Count, sums += TVector.Count)
            {
                TVector.Store(TVector.Load(sums) + start, to + i);
            }
        }
    }

    /// <summary>Some pixels of an image, to some channels, in each piece.</summary>
    private readonly struct WidePixels(float* matrix, int rowStep, float* bias, float* x, float* y, (int Images, int In, int Out, int Pixels) size, TileProduct product, int blocks, int parts) : ITileWork
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

    /// <summary>The same of images in bfloat16.</summary>
    private readonly struct NarrowPixels(uint* matrix, int rowStep, float* bias, ushort* x, ushort* y, (int Images, int In, int Out, int Pixels) size, TileProduct product, int blocks, int parts) : ITileWork
    {
        public void Do(int piece, TileScratch scratch)
        {
            var (depth, channels) = (size.In / T.PerWord, size.Out / parts);
            var (image, first, channel) = (piece / parts / blocks, piece / parts % blocks * PixelsOfPiece, piece % parts * channels);
            var end = piece / parts % blocks == blocks - 1 ? size.Pixels : first + PixelsOfPiece;
            var (words, sums) = ((nint)scratch.TakeWords((long)depth * TilePanels.Lanes), (nint)scratch.Take((long)channels * TilePanels.Lanes));
            for (var p = first; p < end; p += TilePanels.Lanes)
            {
                var pixel = Math.Min(p, end - TilePanels.Lanes);
                Pack(x + ((long)image * size.In * size.Pixels) + pixel, size.Pixels, depth, (uint*)words);
                product.Run(matrix + ((long)channel * rowStep), (void*)words, (float*)sums, channels, depth);
                Write((float*)sums, bias == null ? null : bias + channel, channels, y + ((((long)image * size.Out) + channel) * size.Pixels) + pixel, size.Pixels);
            }
        }
    }
}
