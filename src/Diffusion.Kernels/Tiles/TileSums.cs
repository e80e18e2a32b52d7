using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Sums that make gradients of weights and biases, in float32 and wider; the same for any number of threads. Values are floats or, as <see cref="ushort"/>, bfloat16.</summary>
internal static unsafe class TileSums
{
    private const int Vector = 16;
    private const int Pieces = 8;

    /// <summary>The sum of several matrices of the same size.</summary>
    /// <param name="parts">The first.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="step">The values from one to the next.</param>
    /// <param name="size">The values of each, a multiple of 16.</param>
    /// <param name="sums">[size]; written.</param>
    public static void OfParts(float* parts, int count, long step, int size, float* sums)
    {
        const int stretch = 4096;
        TileWork.Run((size + stretch - 1) / stretch, 0, (piece, _) =>
        {
            for (var i = piece * stretch; i < Math.Min(size, (piece + 1) * stretch); i += Vector)
            {
                var sum = Vector512<float>.Zero;
                for (var part = 0; part < count; part++)
                {
                    sum += Vector512.Load(parts + (part * step) + i);
                }

                Vector512.Store(sum, sums + i);
            }
        });
    }

    /// <summary>The sum of each column of rows.</summary>
    /// <param name="rows">[count, columns].</param>
    /// <param name="count">How many rows.</param>
    /// <param name="columns">A multiple of 16.</param>
    /// <param name="sums">[columns]; written.</param>
    public static void OfColumns<T>(T* rows, long count, int columns, float* sums)
        where T : unmanaged
    {
        using var memory = TileScratch.Rent(Pieces * columns);
        var parts = memory.Take(Pieces * columns);
        TileWork.Run(Pieces, 0, (piece, _) => Add(rows, count * piece / Pieces, count * (piece + 1) / Pieces, columns, parts + (piece * columns)));
        for (var column = 0; column < columns; column++)
        {
            var sum = 0.0;
            for (var piece = 0; piece < Pieces; piece++)
            {
                sum += parts[(piece * columns) + column];
            }

            sums[column] = (float)sum;
        }
    }

    /// <summary>Adds all rows to the sums.</summary>
    /// <param name="rows">[count, columns].</param>
    /// <param name="count">How many rows.</param>
    /// <param name="columns">A multiple of 16.</param>
    /// <param name="sums">[columns].</param>
    public static void AddRows<T>(T* rows, long count, int columns, float* sums)
        where T : unmanaged => Add(rows, 0, count, columns, sums, continues: true);

    /// <summary>The sum of each channel of images.</summary>
    /// <param name="images">A dense tensor [B, C, …], float32 or bfloat16.</param>
    /// <returns>[C], float32.</returns>
    public static Tensor OfChannels(Tensor images) => OfChannels(images, withImages: false).All;

    /// <summary>The sum of each channel of images, of all and of each.</summary>
    /// <param name="images">A dense tensor [B, C, …], float32 or bfloat16.</param>
    /// <returns>[C] and [B, C], float32.</returns>
    public static (Tensor All, Tensor OfImages) OfChannelsAndImages(Tensor images)
    {
        var (all, ofImages) = OfChannels(images, withImages: true);
        return (all, ofImages!);
    }

    private static (Tensor All, Tensor? OfImages) OfChannels(Tensor images, bool withImages)
    {
        using var pointers = TensorMemory.Use();
        var (count, channels) = ((int)images.size(0), (int)images.size(1));
        var (all, ofImages, pixels) = (empty(channels, dtype: ScalarType.Float32), withImages ? empty(count, channels, dtype: ScalarType.Float32) : null, (int)(images.numel() / count / channels));
        var each = ofImages is null ? null : TensorMemory.Of<float>(ofImages);
        if (images.dtype == ScalarType.BFloat16)
        {
            OfChannels(TensorMemory.Of<ushort>(images), count, channels, pixels, TensorMemory.Of<float>(all), each);
        }
        else
        {
            OfChannels(TensorMemory.Of<float>(images), count, channels, pixels, TensorMemory.Of<float>(all), each);
        }

        return (all, ofImages);
    }

    private static void OfChannels<T>(T* images, int count, int channels, int pixels, float* sums, float* ofImages)
        where T : unmanaged => TileWork.Run(channels, 0, (channel, _) =>
        {
            var total = 0.0;
            for (var image = 0; image < count; image++)
            {
                var place = ((long)image * channels) + channel;
                var sum = Sum(images + (place * pixels), pixels);
                total += sum;
                if (ofImages != null)
                {
                    ofImages[place] = sum;
                }
            }

            sums[channel] = (float)total;
        });

    [MethodImpl(Loop.Alone)]
    private static void Add<T>(T* rows, long first, long end, int columns, float* sums, bool continues = false)
        where T : unmanaged
    {
        for (var column = 0; column < columns; column += Vector)
        {
            var (one, other) = (Vector512<float>.Zero, Vector512<float>.Zero);
            var row = first;
            for (; row + 1 < end; row += 2)
            {
                one += TileValues.Load(rows + (row * columns) + column);
                other += TileValues.Load(rows + ((row + 1) * columns) + column);
            }

            var sum = row < end ? one + other + TileValues.Load(rows + (row * columns) + column) : one + other;
            Vector512.Store(continues ? Vector512.Load(sums + column) + sum : sum, sums + column);
        }
    }

    [MethodImpl(Loop.Alone)]
    private static float Sum<T>(T* values, int count)
        where T : unmanaged
    {
        var (sum, i) = (Vector512<float>.Zero, 0);
        for (; i + Vector <= count; i += Vector)
        {
            sum += TileValues.Load(values + i);
        }

        var rest = 0f;
        for (; i < count; i++)
        {
            rest += TileValues.One(values + i);
        }

        return Vector512.Sum(sum) + rest;
    }
}
