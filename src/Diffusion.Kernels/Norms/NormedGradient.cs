using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>The gradients of a group norm, or of SiLU and dropout after one, group by group: what is between stays in the nearer caches.</summary>
/// <typeparam name="T">What products are computed in, where the convolution follows: exponentials need not be more accurate.</typeparam>
/// <typeparam name="TVector">The vectors that are computed with.</typeparam>
internal static unsafe class NormedGradient<T, TVector>
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    /// <summary>The gradients.</summary>
    /// <param name="input">What entered the norm.</param>
    /// <param name="gradient">That of the activated images, [images, channels, pixels], in the type of the input; overwritten with that of the input.</param>
    /// <param name="added">What is added to the latter, of the same shape and type; 0 for nothing.</param>
    /// <param name="norm">The norm.</param>
    /// <param name="statistics">Of <see cref="GroupMoments{TVector}.Find"/>.</param>
    /// <param name="ofWeight">[channels]; written.</param>
    /// <param name="ofBias">[channels]; written.</param>
    /// <param name="totals">[images, channels]: the sums of the gradient of the input, without rounding and without what is added; written, unless it is null.</param>
    /// <param name="kept">What dropout did to the activated images.</param>
    public static void Of(WinogradImages input, nint gradient, nint added, NormParameters norm, NormStatistics statistics, float* ofWeight, float* ofBias, float* totals, KeptValues kept)
    {
        var count = (long)input.Count * input.Channels;
        using var memory = TileScratch.Rent(2 * TileScratch.Rounded(count));
        float* sums = memory.Take(count), products = memory.Take(count);
        Spread(input, gradient, added, norm, statistics, activates: true, sums, products, totals, kept);
        AddImages(sums, input.Count, input.Channels, ofBias);
        AddImages(products, input.Count, input.Channels, ofWeight);
    }

    /// <summary>The gradient of the input, and what of each image adds up to those of weight and bias.</summary>
    /// <param name="input">What entered the norm.</param>
    /// <param name="gradient">That of the output, [images, channels, pixels]; overwritten with that of the input.</param>
    /// <param name="added">What is added to the latter, of the same shape and type; 0 for nothing.</param>
    /// <param name="norm">The norm.</param>
    /// <param name="statistics">Of <see cref="GroupMoments{TVector}.Find"/>.</param>
    /// <param name="activates">Whether the output is activated.</param>
    /// <param name="ofBias">[images, channels]; written.</param>
    /// <param name="ofWeight">[images, channels]; written.</param>
    /// <param name="totals">As for <see cref="Of"/>.</param>
    /// <param name="kept">As for <see cref="Of"/>.</param>
    public static void Spread(
        WinogradImages input, nint gradient, nint added, NormParameters norm, NormStatistics statistics, bool activates, float* ofBias, float* ofWeight, float* totals = null, KeptValues kept = default)
    {
        using var pointers = TensorMemory.Use();
        var (pieces, channels) = (input.Count * norm.Groups, input.Channels / norm.Groups);
        var floats = (channels * TileScratch.Rounded(input.Pixels)) + TileScratch.Rounded(6 * channels);
        var weight = TensorMemory.Of<float>(norm.Weight);
        if (!input.IsNarrow)
        {
            TileWork.Run(pieces, floats, new Group<float>(input, (float*)gradient, (float*)added, norm.Groups, weight, statistics, activates, ofBias, ofWeight, totals, kept));
        }
        else
        {
            TileWork.Run(pieces, floats, new Group<ushort>(input, (ushort*)gradient, (ushort*)added, norm.Groups, weight, statistics, activates, ofBias, ofWeight, totals, kept));
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

    /// <summary>The gradients of scale · x + shift as floats, and sums of them.</summary>
    [MethodImpl(Loop.Alone)]
    private static void Plain<TValue>(TValue* x, TValue* gradient, int pixels, float mean, float* slopes, double* sums)
        where TValue : unmanaged
    {
        var (center, all) = (TVector.Create(mean), default(SlopeSums));
        for (var i = 0; i < pixels; i += TVector.Count)
        {
            var mask = TVector.First(pixels - i);
            var slope = TileValues<TVector>.Load(mask, gradient + i);
            TVector.Store(slope, slopes + i);
            all.Add(slope, TileValues<TVector>.Load(mask, x + i) - (center & mask));
        }

        all.Write(sums);
    }

    /// <summary>From the gradients of SiLU(scale · x + shift), or of dropout of it, to those of its argument, and sums of them.</summary>
    [MethodImpl(Loop.Alone)]
    private static void Slopes<TValue>(TValue* x, TValue* gradient, int pixels, float scale, float shift, float mean, byte* kept, float keptScale, float* slopes, double* sums)
        where TValue : unmanaged
    {
        var (factor, summand, center, one, keptFactor, all) = (TVector.Create(scale), TVector.Create(shift), TVector.Create(mean), TVector.Create(1), TVector.Create(keptScale), default(SlopeSums));
        for (var i = 0; i < pixels; i += TVector.Count)
        {
            var mask = TVector.First(pixels - i);
            var value = TileValues<TVector>.Load(mask, x + i);
            var mapped = TVector.FusedMultiplyAdd(value, factor, summand);
            var sigmoid = ChannelMap.Sigmoid<T, TVector>(mapped);
            var slope = TileValues<TVector>.Load(mask, gradient + i) * sigmoid * TVector.FusedMultiplyAdd(mapped, one - sigmoid, one);
            if (kept != null)
            {
                slope *= TVector.Load(mask, kept + i) * keptFactor;
            }

            TVector.Store(slope, slopes + i);
            all.Add(slope, value - (center & mask));
        }

        all.Write(sums);
    }

    /// <summary>scale · slopes + slope · (x − mean) + start, and what is added, if anything.</summary>
    [MethodImpl(Loop.Alone)]
    private static void Tilt<TValue>(TValue* x, float* slopes, int pixels, float scale, float slope, float mean, float start, TValue* to, TValue* added)
        where TValue : unmanaged
    {
        var (factor, tilt, center, summand) = (TVector.Create(scale), TVector.Create(slope), TVector.Create(mean), TVector.Create(start));
        for (var i = 0; i < pixels; i += TVector.Count)
        {
            var mask = TVector.First(pixels - i);
            var tilted = TVector.FusedMultiplyAdd(TileValues<TVector>.Load(mask, x + i) - center, tilt, summand);
            tilted = TVector.FusedMultiplyAdd(TVector.Load(slopes + i), factor, tilted);
            TileValues<TVector>.Store(mask, added == null ? tilted : tilted + TileValues<TVector>.Load(mask, added + i), to + i);
        }
    }

    /// <summary>A group of an image in each piece.</summary>
    private readonly struct Group<TValue>(
        WinogradImages input, TValue* gradient, TValue* added, int groups, float* weight, NormStatistics statistics, bool activates, float* ofBias, float* ofWeight, float* totals, KeptValues kept) : ITileWork
        where TValue : unmanaged
    {
        public void Do(int piece, TileScratch scratch)
        {
            var (channels, pixels, row) = (input.Channels / groups, input.Pixels, TileScratch.Rounded(input.Pixels));
            var firstChannel = piece % groups * channels;
            var first = ((long)(piece / groups) * input.Channels) + firstChannel; // of the channels of all images
            var slopes = scratch.Take(channels * row);
            var sums = (double*)scratch.Take(6 * channels);
            var (mean, one) = (statistics.Moments[2 * piece], statistics.Moments[(2 * piece) + 1]);
            var (whole, projected, centered) = (0.0, 0.0, 0.0);
            for (var channel = 0; channel < channels; channel++)
            {
                var (at, factor, ofChannel) = (first + channel, (double)weight[firstChannel + channel], (nint)(sums + (3 * channel)));
                TValue* x = (TValue*)input.Data + (at * pixels), direction = gradient + (at * pixels);
                if (activates)
                {
                    Slopes(x, direction, pixels, statistics.Scales[at], statistics.Shifts[at], mean, kept.Of(at), kept.Scale, slopes + (channel * row), (double*)ofChannel);
                }
                else
                {
                    Plain(x, direction, pixels, mean, slopes + (channel * row), (double*)ofChannel);
                }

                ofBias[at] = (float)sums[3 * channel];
                ofWeight[at] = (float)(one * sums[(3 * channel) + 1]);
                whole += statistics.Scales[at] * sums[3 * channel];
                projected += factor * sums[(3 * channel) + 1];
                centered += sums[(3 * channel) + 2];
            }

            var count = (double)channels * pixels;
            var slope = (float)(-(double)one * one * one * projected / count);
            var start = -(whole + (slope * centered)) / count; // so that what the rounded numbers make of the group adds up to 0
            for (var channel = 0; channel < channels; channel++)
            {
                var at = first + channel;
                if (totals != null)
                {
                    totals[at] = (float)((statistics.Scales[at] * sums[3 * channel]) + (slope * sums[(3 * channel) + 2]) + (start * pixels));
                }

                Tilt((TValue*)input.Data + (at * pixels), slopes + (channel * row), pixels, statistics.Scales[at], slope, mean, (float)start, gradient + (at * pixels), added == null ? null : added + (at * pixels));
            }
        }
    }

    /// <summary>The sums of slopes, of their products with what is beside them, and of the latter.</summary>
    private struct SlopeSums
    {
        private DoubleSum<TVector> _slopes;
        private DoubleSum<TVector> _products;
        private DoubleSum<TVector> _others;

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public void Add(TVector slopes, TVector others)
        {
            _slopes.Add(slopes);
            _products.Add(slopes * others);
            _others.Add(others);
        }

        public readonly void Write(double* sums) => (sums[0], sums[1], sums[2]) = (_slopes.Value, _products.Value, _others.Value);
    }
}
