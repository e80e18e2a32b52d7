using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>The statistics of group norms. Wu and He, arXiv:1803.08494, Eq. 1 to 6.</summary>
/// <typeparam name="TVector">The vectors that are added.</typeparam>
internal static unsafe class GroupMoments<TVector>
    where TVector : unmanaged, IVector<TVector>
{
    /// <summary>What the norm does to each channel of each image, as factor and summand.</summary>
    /// <param name="images">What is normalised.</param>
    /// <param name="norm">Groups, weights and epsilon.</param>
    /// <param name="modulation">Of an image or of all a scale s and a shift t for each channel, [1 or images, 2 · channels], after the norm: (1 + s) · x + t; null where there is none.</param>
    /// <param name="modulationStep">The numbers from an image to the next.</param>
    /// <param name="scales">[images, channels]; written.</param>
    /// <param name="shifts">[images, channels]; written.</param>
    /// <param name="moments">[images, groups, 2]: the mean and one over the deviation; written, unless it is null.</param>
    public static void Map(WinogradImages images, NormParameters norm, float* modulation, long modulationStep, float* scales, float* shifts, float* moments = null)
    {
        using var pointers = TensorMemory.Use();
        TileWork.Run(images.Count * norm.Groups, 0, new Groups(images, norm, modulation, modulationStep, scales, shifts, moments));
    }

    /// <summary>As <see cref="Map"/>, without modulation, and with all that gradients need.</summary>
    public static void Find(WinogradImages images, NormParameters norm, NormStatistics statistics) => Map(images, norm, null, 0, statistics.Scales, statistics.Shifts, statistics.Moments);

    private static (double Mean, double Variance) Of<T>(T* values, int count)
        where T : unmanaged
    {
        var mean = TileSums<TVector>.Of(values, count) / count;
        return (mean, SquaresAround((float)mean, values, count) / count);
    }

    [MethodImpl(Loop.Alone)]
    private static double SquaresAround<T>(float mean, T* values, int count)
        where T : unmanaged
    {
        var (one, other, i, center) = (default(DoubleSum<TVector>), default(DoubleSum<TVector>), 0, TVector.Create(mean));
        for (; i + (2 * TVector.Count) <= count; i += 2 * TVector.Count)
        {
            var (first, second) = (TileValues<TVector>.Load(values + i) - center, TileValues<TVector>.Load(values + i + TVector.Count) - center);
            one.Add(first * first);
            other.Add(second * second);
        }

        var rest = 0.0;
        for (; i < count; i++)
        {
            var value = TileValues<TVector>.One(values + i) - mean;
            rest += value * value;
        }

        return one.Value + other.Value + rest;
    }

    /// <summary>A group of an image in each piece.</summary>
    private readonly struct Groups(WinogradImages images, NormParameters norm, float* modulation, long modulationStep, float* scales, float* shifts, float* moments) : ITileWork
    {
        private readonly float* _weight = TensorMemory.Of<float>(norm.Weight);
        private readonly float* _bias = TensorMemory.Of<float>(norm.Bias);

        public void Do(int piece, TileScratch scratch)
        {
            var channels = images.Channels / norm.Groups;
            var (image, first, count) = (piece / norm.Groups, piece % norm.Groups * channels, channels * images.Pixels);
            var start = (((long)image * images.Channels) + first) * images.Pixels;
            var (mean, variance) = images.IsNarrow ? Of((ushort*)images.Data + start, count) : Of((float*)images.Data + start, count);
            var one = 1 / Math.Sqrt(variance + norm.Eps);
            if (moments != null)
            {
                (moments[2 * piece], moments[(2 * piece) + 1]) = ((float)mean, (float)one);
            }

            var modulated = modulation == null ? null : modulation + (image * modulationStep);
            for (var channel = first; channel < first + channels; channel++)
            {
                var factor = modulated == null ? 1.0 : 1.0 + modulated[channel];
                var (scale, summand) = ((float)(factor * _weight[channel] * one), modulated == null ? 0.0 : modulated[images.Channels + channel]);
                scales[((long)image * images.Channels) + channel] = scale;
                shifts[((long)image * images.Channels) + channel] = (float)((factor * _bias[channel]) - (mean * scale) + summand); // of the rounded scale, so that its error does not move the mean
            }
        }
    }
}
