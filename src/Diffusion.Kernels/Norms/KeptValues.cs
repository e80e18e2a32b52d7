using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>Dropout in memory: the values of images that are kept are multiplied by a number, the others become 0.</summary>
/// <param name="kept">[images, channels, pixels], a byte each: 1 for those that are kept, else 0; null where there is no dropout.</param>
/// <param name="scale">The number.</param>
/// <param name="channels">A multiple of 16.</param>
/// <param name="pixels">Of an image.</param>
internal readonly unsafe struct KeptValues(byte* kept, float scale, int channels, int pixels)
{
    private const int PixelsAtOnce = 64;
    private const int ChannelsAtOnce = 16;
    private readonly byte* _kept = kept;
    private readonly int _channels = channels;
    private readonly int _pixels = pixels;

    /// <summary>What the values that are kept are multiplied by.</summary>
    public float Scale { get; } = scale;

    /// <summary>Those of a mask of images; where there is none, nothing is dropped.</summary>
    public static KeptValues Of(DropoutMask? mask, WinogradImages images) =>
        mask is { } drawn ? new(TensorMemory.Of<byte>(drawn.Kept), (float)drawn.Scale, images.Channels, images.Pixels) : default;

    /// <summary>Those of the pixels of a channel, counted over all images; null where there is no dropout.</summary>
    public byte* Of(long channel) => _kept == null ? null : _kept + (channel * _pixels);

    /// <summary>Multiplies pixels of an image in place.</summary>
    /// <param name="image">The image.</param>
    /// <param name="first">The number of the first pixel.</param>
    /// <param name="values">[count, channels].</param>
    /// <param name="count">How many pixels.</param>
    /// <typeparam name="TVector">The vectors that are multiplied.</typeparam>
    [SkipLocalsInit]
    public void Apply<TVector>(int image, int first, float* values, int count)
        where TVector : unmanaged, IVector<TVector>
    {
        if (_kept == null)
        {
            return;
        }

        var factors = stackalloc float[2 * PixelsAtOnce * ChannelsAtOnce];
        for (var pixel = 0; pixel < count;)
        {
            var some = count - pixel < 2 * PixelsAtOnce ? count - pixel : PixelsAtOnce; // few pixels are not left alone
            for (var channel = 0; channel < _channels; channel += ChannelsAtOnce)
            {
                Transposition<TVector>.Copy(Of(((long)image * _channels) + channel) + first + pixel, _pixels, ChannelsAtOnce, some, factors, ChannelsAtOnce);
                Multiply<TVector>(factors, Scale, some, values + ((long)pixel * _channels) + channel, _channels);
            }

            pixel += some;
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Multiply<TVector>(float* factors, float scale, int count, float* values, int step)
        where TVector : unmanaged, IVector<TVector>
    {
        var all = TVector.Create(scale);
        for (; count > 0; count--, factors += ChannelsAtOnce, values += step)
        {
            for (var i = 0; i < ChannelsAtOnce; i += TVector.Count)
            {
                TVector.Store(TVector.Load(values + i) * (TVector.Load(factors + i) * all), values + i);
            }
        }
    }
}
