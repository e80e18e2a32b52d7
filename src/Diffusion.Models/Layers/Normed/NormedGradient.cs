using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Diffusion.Models;

/// <summary>The gradients of a group norm, or of SiLU after one, group by group: what is between stays in the nearer caches.</summary>
/// <typeparam name="T">What the images are rounded to.</typeparam>
internal static unsafe class NormedGradient<T>
    where T : ITileFormat
{
    private const int Vector = 16;

    /// <summary>The gradients.</summary>
    /// <param name="input">What entered the norm.</param>
    /// <param name="gradient">That of the activated images, [images, channels, pixels]; overwritten with that of the input.</param>
    /// <param name="norm">The norm.</param>
    /// <param name="statistics">Of <see cref="GroupMoments.Find"/>.</param>
    /// <param name="ofWeight">[channels]; written.</param>
    /// <param name="ofBias">[channels]; written.</param>
    public static void Of(WinogradImages input, nint gradient, GroupNorm norm, NormStatistics statistics, float* ofWeight, float* ofBias)
    {
        var count = (long)input.Count * input.Channels;
        using var memory = TileScratch.Rent(2 * TileScratch.Rounded(count));
        float* sums = memory.Take(count), products = memory.Take(count);
        Spread(input, gradient, 0, norm, statistics, activates: true, sums, products);
        AddImages(sums, input.Count, input.Channels, ofBias);
        AddImages(products, input.Count, input.Channels, ofWeight);
    }

    /// <summary>The gradient of the input, and what of each image adds up to those of weight and bias.</summary>
    /// <param name="input">What entered the norm.</param>
    /// <param name="gradient">That of the output, [images, channels, pixels]; overwritten with that of the input.</param>
    /// <param name="added">What is added to the latter, of the same shape and type; 0 for nothing.</param>
    /// <param name="norm">The norm.</param>
    /// <param name="statistics">Of <see cref="GroupMoments.Find"/>.</param>
    /// <param name="activates">Whether the output is activated.</param>
    /// <param name="ofBias">[images, channels]; written.</param>
    /// <param name="ofWeight">[images, channels]; written.</param>
    public static void Spread(WinogradImages input, nint gradient, nint added, GroupNorm norm, NormStatistics statistics, bool activates, float* ofBias, float* ofWeight)
    {
        var (pieces, floats) = (input.Count * norm.Groups, input.Channels / norm.Groups * TileScratch.Rounded(input.Pixels));
        var weight = TensorMemory.Of<float>(norm.Weight);
        if (T.PerWord == 1)
        {
            TileWork.Run(pieces, floats, new Group<float>(input, (float*)gradient, (float*)added, norm.Groups, weight, statistics, activates, ofBias, ofWeight));
        }
        else
        {
            TileWork.Run(pieces, floats, new Group<ushort>(input, (ushort*)gradient, (ushort*)added, norm.Groups, weight, statistics, activates, ofBias, ofWeight));
        }
    }

    /// <summary>sums[channel] = Σ over images of ofImages[image, channel].</summary>
    public static void AddImages(float* ofImages, int images, int channels, float* sums)
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

    /// <summary>From the gradients of scale · x + shift: they as floats, their sum, and their sum times x − mean.</summary>
    [MethodImpl(Loop.Alone)]
    private static void Sums<TValue>(TValue* x, TValue* gradient, int pixels, float mean, float* slopes, float* sum, float* product)
        where TValue : unmanaged
    {
        var (center, sums, products) = (Vector512.Create(mean), Vector512<double>.Zero, Vector512<double>.Zero);
        for (var i = 0; i < pixels; i += Vector)
        {
            var mask = TileValues.First(pixels - i);
            var slope = TileValues.Load(mask, gradient + i);
            Vector512.Store(slope, slopes + i);
            var moment = slope * (TileValues.Load(mask, x + i) - center);
            sums += Vector512.WidenLower(slope) + Vector512.WidenUpper(slope); // 0 where there is no pixel
            products += Vector512.WidenLower(moment) + Vector512.WidenUpper(moment);
        }

        (*sum, *product) = ((float)Vector512.Sum(sums), (float)Vector512.Sum(products));
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

    /// <summary>scale · slopes + slope · (x − mean) + start, and what is added, if anything.</summary>
    [MethodImpl(Loop.Alone)]
    private static void Tilt<TValue>(TValue* x, float* slopes, int pixels, float scale, float slope, float mean, float start, TValue* to, TValue* added)
        where TValue : unmanaged
    {
        var (factor, tilt, center, summand) = (Vector512.Create(scale), Vector512.Create(slope), Vector512.Create(mean), Vector512.Create(start));
        for (var i = 0; i < pixels; i += Vector)
        {
            var mask = TileValues.First(pixels - i);
            var tilted = Vector512.FusedMultiplyAdd(TileValues.Load(mask, x + i) - center, tilt, summand);
            tilted = Vector512.FusedMultiplyAdd(Vector512.Load(slopes + i), factor, tilted);
            TileValues.Store(mask, added == null ? tilted : tilted + TileValues.Load(mask, added + i), to + i);
        }
    }

    /// <summary>A group of an image in each piece.</summary>
    private readonly struct Group<TValue>(
        WinogradImages input, TValue* gradient, TValue* added, int groups, float* weight, NormStatistics statistics, bool activates, float* ofBias, float* ofWeight) : ITileWork
        where TValue : unmanaged
    {
        public void Do(int piece, TileScratch scratch)
        {
            var (channels, pixels, row) = (input.Channels / groups, input.Pixels, TileScratch.Rounded(input.Pixels));
            var firstChannel = piece % groups * channels;
            var first = ((long)(piece / groups) * input.Channels) + firstChannel; // of the channels of all images
            var slopes = scratch.Take(channels * row);
            var (mean, one) = (statistics.Moments[2 * piece], statistics.Moments[(2 * piece) + 1]);
            var (whole, projected) = (0.0, 0.0);
            for (var channel = 0; channel < channels; channel++)
            {
                var (at, factor) = (first + channel, weight[firstChannel + channel]);
                TValue* x = (TValue*)input.Data + (at * pixels), direction = gradient + (at * pixels);
                if (activates)
                {
                    Slopes(x, direction, pixels, statistics.Scales[at], statistics.Shifts[at], mean, slopes + (channel * row), ofBias + at, ofWeight + at);
                }
                else
                {
                    Sums(x, direction, pixels, mean, slopes + (channel * row), ofBias + at, ofWeight + at);
                }

                (whole, projected) = (whole + ((double)factor * ofBias[at]), projected + ((double)factor * ofWeight[at]));
            }

            var count = (double)channels * pixels;
            var (start, slope) = ((float)(-one * whole / count), (float)(-(double)one * one * one * projected / count));
            for (var channel = 0; channel < channels; channel++)
            {
                var at = first + channel;
                ofWeight[at] *= one;
                Tilt((TValue*)input.Data + (at * pixels), slopes + (channel * row), pixels, statistics.Scales[at], slope, mean, start, gradient + (at * pixels), added == null ? null : added + (at * pixels));
            }
        }
    }
}
