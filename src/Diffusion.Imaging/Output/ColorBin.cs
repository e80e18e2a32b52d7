namespace Diffusion.Imaging;

/// <summary>The pixels of an image whose channels agree in their first 5 bits: how many, and their mean.</summary>
internal sealed class ColorBin
{
    private long _red;
    private long _green;
    private long _blue;

    /// <summary>How many pixels.</summary>
    public long Pixels { get; private set; }

    /// <summary>Their mean.</summary>
    public Rgb Mean => new((double)_red / Pixels, (double)_green / Pixels, (double)_blue / Pixels);

    /// <summary>The bin of a pixel.</summary>
    public static int Index(ReadOnlySpan<byte> pixel) => (pixel[0] >> 3 << 10) | (pixel[1] >> 3 << 5) | (pixel[2] >> 3);

    /// <summary>All bins of an image; those without pixels are <see langword="null"/>.</summary>
    public static ColorBin?[] Count(PixelImage rgb)
    {
        var bins = new ColorBin?[1 << 15];
        for (var i = 0; i < rgb.Pixels.Length; i += 3)
        {
            var pixel = rgb.Pixels.Slice(i, 3);
            (bins[Index(pixel)] ??= new ColorBin()).Add(pixel);
        }

        return bins;
    }

    private void Add(ReadOnlySpan<byte> pixel)
    {
        Pixels++;
        (_red, _green, _blue) = (_red + pixel[0], _green + pixel[1], _blue + pixel[2]);
    }
}
