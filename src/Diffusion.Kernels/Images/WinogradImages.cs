using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Images [B, C, H, W] cut into square tiles, and these into bands of rows of tiles, which may reach over several images.</summary>
/// <param name="Data">The first value.</param>
/// <param name="Count">B.</param>
/// <param name="Channels">C.</param>
/// <param name="Height">H.</param>
/// <param name="Width">W.</param>
/// <param name="IsNarrow">Whether values are bfloat16, or else floats.</param>
internal readonly unsafe record struct WinogradImages(nint Data, int Count, int Channels, int Height, int Width, bool IsNarrow)
{
    /// <summary>The most tiles of a band: what is made of them shall stay in the nearer caches, and serve the weights that are read for it.</summary>
    public const int MaxTilesOfBand = 64;

    /// <summary>The values from an image to the next.</summary>
    public long ImageStep { get; init; } = (long)Channels * Height * Width;

    /// <summary>The pixels of a tile's side.</summary>
    public int TileSide { get; init; } = 1;

    /// <summary>The most tiles of a band, where a row of tiles is not longer.</summary>
    public int TilesOfBand { get; init; } = MaxTilesOfBand;

    /// <summary>The tiles of a row.</summary>
    public int TilesAcross => (Width + TileSide - 1) / TileSide;

    /// <summary>The rows of tiles of an image.</summary>
    public int TilesDown => (Height + TileSide - 1) / TileSide;

    /// <summary>The pixels of an image.</summary>
    public int Pixels => Height * Width;

    /// <summary>The rows of tiles of a band.</summary>
    public int RowsOfBand => Math.Max(1, Math.Min(TilesOfBand / TilesAcross, Count * TilesDown));

    /// <summary>The most tiles of a band, rounded up to whole blocks of a product.</summary>
    public int TilesRounded => (((RowsOfBand * TilesAcross) + 7) / 8) * 8;

    /// <summary>How many bands there are.</summary>
    public int Bands => ((Count * TilesDown) + RowsOfBand - 1) / RowsOfBand;

    /// <summary>The most pixels that the tiles of a band see, with a border of one row on each side of each image.</summary>
    public int PixelsOfBand => Math.Min(Count * Height, (TileSide * RowsOfBand) + (2 * (((RowsOfBand - 1) / TilesDown) + 2))) * Width;

    /// <summary>Those of a dense tensor [B, C, H, W] in float32 or bfloat16.</summary>
    public static WinogradImages Of(Tensor images) =>
        new((nint)TensorMemory.Of<byte>(images), (int)images.size(0), (int)images.size(1), (int)images.size(2), (int)images.size(3), images.dtype == ScalarType.BFloat16);

    /// <summary>The same images in tiles of a size.</summary>
    public WinogradImages InTiles(int side) => this with { TileSide = side };

    /// <summary>The same in bands of fewer tiles, where there would be fewer bands than wanted.</summary>
    /// <param name="bands">Wanted.</param>
    /// <param name="min">The fewest tiles of a band.</param>
    public WinogradImages InBands(int bands, int min) => this with { TilesOfBand = Math.Clamp(Count * TilesDown * TilesAcross / bands, min, MaxTilesOfBand) };

    /// <summary>Some of the channels of these images.</summary>
    public WinogradImages Slice(int firstChannel, int channels) => this with { Data = At(Data, firstChannel), Channels = channels };

    /// <summary>Some of these images.</summary>
    public WinogradImages Some(int first, int count) => this with { Data = Data + (nint)(first * ImageStep * (IsNarrow ? sizeof(ushort) : sizeof(float))), Count = count };

    /// <summary>Where a channel of the first image is in memory like that of these images.</summary>
    public nint At(nint data, int channel) => data + (nint)((long)channel * Pixels * (IsNarrow ? sizeof(ushort) : sizeof(float)));

    /// <summary>Copies rows of pixels of some channels, pixel by pixel: [rows · W, channels].</summary>
    public void Read<TVector>(int image, (int First, int End) rows, int firstChannel, int channels, float* pixels)
        where TVector : unmanaged, IVector<TVector> =>
        Read<TVector>(image, rows.First * Width, (rows.End - rows.First) * Width, firstChannel, channels, pixels);

    /// <summary>Copies some pixels of some channels: [count, channels].</summary>
    public void Read<TVector>(int image, int first, int count, int firstChannel, int channels, float* pixels)
        where TVector : unmanaged, IVector<TVector>
    {
        var place = Place(image, firstChannel, first);
        if (IsNarrow)
        {
            Transposition<TVector>.Copy((ushort*)Data + place, Pixels, channels, count, pixels, channels);
        }
        else
        {
            Transposition<TVector>.Copy((float*)Data + place, Pixels, channels, count, pixels, channels);
        }
    }

    /// <summary>Copies back rows of pixels.</summary>
    public void Write<TVector>(int image, (int First, int End) rows, float* pixels)
        where TVector : unmanaged, IVector<TVector> => Write<TVector>(image, rows.First * Width, (rows.End - rows.First) * Width, pixels);

    /// <summary>Copies back some pixels of all channels.</summary>
    public void Write<TVector>(int image, int first, int count, float* pixels)
        where TVector : unmanaged, IVector<TVector>
    {
        var place = Place(image, 0, first);
        if (IsNarrow)
        {
            Transposition<TVector>.Copy(pixels, Channels, count, Channels, (ushort*)Data + place, Pixels);
        }
        else
        {
            Transposition<TVector>.Copy(pixels, Channels, count, Channels, (float*)Data + place, Pixels);
        }
    }

    /// <summary>The parts of a band, one an image.</summary>
    public WinogradParts Parts(int band) => new(this, band * RowsOfBand, Math.Min((band + 1) * RowsOfBand, Count * TilesDown));

    private long Place(int image, int channel, int pixel) => (image * ImageStep) + ((long)channel * Pixels) + pixel;
}
