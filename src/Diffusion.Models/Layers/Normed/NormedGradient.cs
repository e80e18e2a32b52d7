using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Models;

/// <summary>The gradients of SiLU after a group norm, group by group: what is between stays in the nearer caches.</summary>
/// <typeparam name="T">What the images are rounded to.</typeparam>
internal static unsafe class NormedGradient<T>
    where T : ITileFormat
{
    private const int Vector = 16;

    /// <summary>The gradients.</summary>
    /// <param name="input">What entered the norm.</param>
    /// <param name="gradient">That of the activated images, [images, channels, pixels]; overwritten with that of the input.</param>
    /// <param name="norm">The norm.</param>
    /// <param name="scales">Of <see cref="GroupMoments.Map"/>.</param>
    /// <param name="shifts">Of <see cref="GroupMoments.Map"/>.</param>
    /// <param name="moments">Of <see cref="GroupMoments.Map"/>.</param>
    /// <param name="ofWeight">[channels]; written.</param>
    /// <param name="ofBias">[channels]; written.</param>
    public static void Of(WinogradImages input, nint gradient, GroupNorm norm, float* scales, float* shifts, float* moments, float* ofWeight, float* ofBias)
    {
        var (groups, channels, all, pixels) = (norm.Groups, input.Channels / norm.Groups, input.Channels, input.Pixels);
        var row = TileScratch.Rounded(pixels);
        var weight = TensorMemory.Of<float>(norm.Weight);
        using var memory = TileScratch.Rent(2L * TileScratch.Rounded((long)input.Count * all));
        float* sums = memory.Take((long)input.Count * all), products = memory.Take((long)input.Count * all);
        TileWork.Run(input.Count * groups, channels * row, (piece, scratch) =>
        {
            var first = ((long)(piece / groups) * all) + (piece % groups * channels); // of the channels of all images
            var slopes = scratch.Take(channels * row);
            var (mean, one) = (moments[2 * piece], moments[(2 * piece) + 1]);
            var (whole, projected) = (0.0, 0.0);
            for (var channel = 0; channel < channels; channel++)
            {
                var (at, factor) = (first + channel, weight[(first + channel) % all]);
                if (T.PerWord == 1)
                {
                    Slopes((float*)input.Data + (at * pixels), (float*)gradient + (at * pixels), pixels, scales[at], shifts[at], mean, slopes + (channel * row), sums + at, products + at);
                }
                else
                {
                    Slopes((ushort*)input.Data + (at * pixels), (ushort*)gradient + (at * pixels), pixels, scales[at], shifts[at], mean, slopes + (channel * row), sums + at, products + at);
                }

                (whole, projected) = (whole + ((double)factor * sums[at]), projected + ((double)factor * products[at]));
            }

            var count = (double)channels * pixels;
            var (start, slope) = ((float)(-one * whole / count), (float)(-(double)one * one * one * projected / count));
            for (var channel = 0; channel < channels; channel++)
            {
                var at = first + channel;
                if (T.PerWord == 1)
                {
                    Spread((float*)input.Data + (at * pixels), slopes + (channel * row), pixels, scales[at], slope, mean, start, (float*)gradient + (at * pixels));
                }
                else
                {
                    Spread((ushort*)input.Data + (at * pixels), slopes + (channel * row), pixels, scales[at], slope, mean, start, (ushort*)gradient + (at * pixels));
                }

                products[at] *= one;
            }
        });
        Add(sums, input.Count, all, ofBias);
        Add(products, input.Count, all, ofWeight);
    }

    /// <summary>From the gradients of SiLU(scale · x + shift) to those of its argument, their sum, and their sum times x − mean.</summary>
    [MethodImpl(Loop.Alone)]
    private static void Slopes<TValue>(TValue* x, TValue* gradient, int pixels, float scale, float shift, float mean, float* slopes, float* sum, float* product)
        where TValue : unmanaged
    {
        var (factor, summand, center, one) = (Vector512.Create(scale), Vector512.Create(shift), Vector512.Create(mean), Vector512<float>.One);
        var (sums, products) = (Vector512<float>.Zero, Vector512<float>.Zero);
        for (var i = 0; i < pixels; i += Vector)
        {
            var mask = TileValues.First(pixels - i);
            var value = TileValues.Load(mask, x + i);
            var mapped = Vector512.FusedMultiplyAdd(value, factor, summand);
            var sigmoid = ChannelMap.Sigmoid<T>(mapped);
            var slope = TileValues.Load(mask, gradient + i) * sigmoid * Vector512.FusedMultiplyAdd(mapped, one - sigmoid, one);
            Vector512.Store(slope, slopes + i);
            sums += slope; // 0 where there is no pixel
            products = Vector512.FusedMultiplyAdd(slope, value - center, products);
        }

        (*sum, *product) = (Vector512.Sum(sums), Vector512.Sum(products));
    }

    /// <summary>scale · slopes + slope · (x − mean) + start.</summary>
    [MethodImpl(Loop.Alone)]
    private static void Spread<TValue>(TValue* x, float* slopes, int pixels, float scale, float slope, float mean, float start, TValue* to)
        where TValue : unmanaged
    {
        var (factor, tilt, center, summand) = (Vector512.Create(scale), Vector512.Create(slope), Vector512.Create(mean), Vector512.Create(start));
        for (var i = 0; i < pixels; i += Vector)
        {
            var mask = TileValues.First(pixels - i);
            var tilted = Vector512.FusedMultiplyAdd(TileValues.Load(mask, x + i) - center, tilt, summand);
            TileValues.Store(mask, Vector512.FusedMultiplyAdd(Vector512.Load(slopes + i), factor, tilted), to + i);
        }
    }

    private static void Add(float* ofImages, int images, int channels, float* sums)
    {
        for (var channel = 0; channel < channels; channel++)
        {
            var sum = 0.0;
            for (var image = 0; image < images; image++)
            {
                sum += ofImages[((long)image * channels) + channel];
            }

            sums[channel] = (float)sum;
        }
    }
}
