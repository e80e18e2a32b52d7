using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>scale · x + shift with numbers for each channel of each image, and SiLU and dropout after it where asked: what a group norm, an activation and dropout do once the statistics are known.</summary>
/// <param name="scales">[images, channels]; null where nothing is mapped.</param>
/// <param name="shifts">[images, channels].</param>
/// <param name="channels">A multiple of 16.</param>
/// <param name="activates">Whether SiLU follows.</param>
/// <param name="kept">What dropout does after it.</param>
internal readonly unsafe struct ChannelMap(float* scales, float* shifts, int channels, bool activates, KeptValues kept = default)
{
    private const float BinaryE = 1.442695f; // log₂ e
    private readonly float* _scales = scales;
    private readonly float* _shifts = shifts;
    private readonly int _channels = channels;
    private readonly bool _activates = activates;
    private readonly KeptValues _kept = kept;

    /// <summary>Maps pixels of an image in place.</summary>
    /// <param name="image">The image.</param>
    /// <param name="first">The number of the first pixel.</param>
    /// <param name="pixels">[count, channels].</param>
    /// <param name="count">How many.</param>
    /// <typeparam name="T">What the values are rounded to afterwards.</typeparam>
    /// <typeparam name="TVector">The vectors that are mapped.</typeparam>
    public void Apply<T, TVector>(int image, int first, float* pixels, int count)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        if (_scales == null)
        {
            return;
        }

        float* scales = _scales + ((long)image * _channels), shifts = _shifts + ((long)image * _channels);
        if (_activates)
        {
            Activated<T, TVector>(scales, shifts, _channels, pixels, count);
        }
        else
        {
            Mapped<TVector>(scales, shifts, _channels, pixels, count);
        }

        _kept.Apply<TVector>(image, first, pixels, count);
    }

    /// <summary>1 / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TVector Sigmoid<T, TVector>(TVector x)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        var divisor = TVector.Create(1) + BinaryPower<T, TVector>.Of(x * TVector.Create(-BinaryE));
        return T.PerWord > 1 ? TVector.ReciprocalEstimate(divisor) : TVector.Create(1) / divisor;
    }

    [MethodImpl(Loop.Alone)]
    private static void Mapped<TVector>(float* scales, float* shifts, int channels, float* pixels, int count)
        where TVector : unmanaged, IVector<TVector>
    {
        for (; count > 0; count--)
        {
            for (var channel = 0; channel < channels; channel += TVector.Count, pixels += TVector.Count)
            {
                TVector.Store(TVector.FusedMultiplyAdd(TVector.Load(pixels), TVector.Load(scales + channel), TVector.Load(shifts + channel)), pixels);
            }
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Activated<T, TVector>(float* scales, float* shifts, int channels, float* pixels, int count)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector>
    {
        for (; count > 0; count--)
        {
            for (var channel = 0; channel < channels; channel += TVector.Count, pixels += TVector.Count)
            {
                var value = TVector.FusedMultiplyAdd(TVector.Load(pixels), TVector.Load(scales + channel), TVector.Load(shifts + channel));
                TVector.Store(value * Sigmoid<T, TVector>(value), pixels);
            }
        }
    }
}
