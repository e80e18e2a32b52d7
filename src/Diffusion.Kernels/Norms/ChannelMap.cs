using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>scale · x + shift with numbers for each channel of each image, and SiLU after it where asked: what a group norm and an activation do once the statistics are known.</summary>
/// <param name="scales">[images, channels]; null where nothing is mapped.</param>
/// <param name="shifts">[images, channels].</param>
/// <param name="channels">A multiple of 16.</param>
/// <param name="activates">Whether SiLU follows.</param>
internal readonly unsafe struct ChannelMap(float* scales, float* shifts, int channels, bool activates)
{
    private const float BinaryE = 1.442695f; // log₂ e
    private readonly float* _scales = scales;
    private readonly float* _shifts = shifts;
    private readonly int _channels = channels;
    private readonly bool _activates = activates;

    /// <summary>Maps pixels of an image in place.</summary>
    /// <param name="image">The image.</param>
    /// <param name="pixels">[count, channels].</param>
    /// <param name="count">How many.</param>
    /// <typeparam name="T">What the values are rounded to afterwards, or Float32.</typeparam>
    public void Apply<T>(int image, float* pixels, int count)
        where T : ITileFormat
    {
        if (_scales == null)
        {
            return;
        }

        float* scales = _scales + ((long)image * _channels), shifts = _shifts + ((long)image * _channels);
        if (_activates)
        {
            Activated<T>(scales, shifts, _channels, pixels, count);
        }
        else
        {
            Mapped(scales, shifts, _channels, pixels, count);
        }
    }

    /// <summary>1 / (1 + e^−x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Vector512<float> Sigmoid<T>(Vector512<float> x)
        where T : ITileFormat
    {
        var divisor = Vector512<float>.One + BinaryPower<T>.Of(x * Vector512.Create(-BinaryE));
        return T.PerWord == 1 ? Vector512<float>.One / divisor : Avx512F.Reciprocal14(divisor); // with a relative error of 2^−14
    }

    [MethodImpl(Loop.Alone)]
    private static void Mapped(float* scales, float* shifts, int channels, float* pixels, int count)
    {
        for (; count > 0; count--)
        {
            for (var channel = 0; channel < channels; channel += Vector512<float>.Count, pixels += Vector512<float>.Count)
            {
                Vector512.Store(Vector512.FusedMultiplyAdd(Vector512.Load(pixels), Vector512.Load(scales + channel), Vector512.Load(shifts + channel)), pixels);
            }
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Activated<T>(float* scales, float* shifts, int channels, float* pixels, int count)
        where T : ITileFormat
    {
        for (; count > 0; count--)
        {
            for (var channel = 0; channel < channels; channel += Vector512<float>.Count, pixels += Vector512<float>.Count)
            {
                var value = Vector512.FusedMultiplyAdd(Vector512.Load(pixels), Vector512.Load(scales + channel), Vector512.Load(shifts + channel));
                Vector512.Store(value * Sigmoid<T>(value), pixels);
            }
        }
    }
}
