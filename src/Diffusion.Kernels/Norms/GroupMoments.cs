using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>The statistics of group norms. Wu and He, arXiv:1803.08494, Eq. 1 to 6.</summary>
/// <typeparam name="TVector">The vectors that are added.</typeparam>
internal static unsafe class GroupMoments<TVector>
    where TVector : unmanaged, IVector<TVector>
{
    private const int Stretch = 1024; // is added up in float32, stretches in float64

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
        var sum = 0.0;
        for (var first = 0; first < count; first += Stretch)
        {
            sum += Sum(values + first, Math.Min(Stretch, count - first));
        }

        var (mean, squares) = (sum / count, 0.0);
        for (var first = 0; first < count; first += Stretch)
        {
            squares += SquaresAround((float)mean, values + first, Math.Min(Stretch, count - first));
        }

        return (mean, squares / count);
    }

    [MethodImpl(Loop.Alone)]
    private static float Sum<T>(T* values, int count)
        where T : unmanaged
    {
        var (one, other, i) = (default(TVector), default(TVector), 0);
        for (; i + (2 * TVector.Count) <= count; i += 2 * TVector.Count)
        {
            one += TileValues<TVector>.Load(values + i);
            other += TileValues<TVector>.Load(values + i + TVector.Count);
        }

        var rest = 0f;
        for (; i < count; i++)
        {
            rest += TileValues<TVector>.One(values + i);
        }

        return TVector.Sum(one + other) + rest;
    }

    [MethodImpl(Loop.Alone)]
    private static float SquaresAround<T>(float mean, T* values, int count)
        where T : unmanaged
    {
        var (one, other, i, center) = (default(TVector), default(TVector), 0, TVector.Create(mean));
        for (; i + (2 * TVector.Count) <= count; i += 2 * TVector.Count)
        {
            var (first, second) = (TileValues<TVector>.Load(values + i) - center, TileValues<TVector>.Load(values + i + TVector.Count) - center);
            one = TVector.FusedMultiplyAdd(first, first, one);
            other = TVector.FusedMultiplyAdd(second, second, other);
        }

        var rest = 0f;
        for (; i < count; i++)
        {
            var value = TileValues<TVector>.One(values + i) - mean;
            rest += value * value;
        }

        return TVector.Sum(one + other) + rest;
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
