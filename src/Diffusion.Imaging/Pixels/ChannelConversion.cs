namespace Diffusion.Imaging;

/// <summary>Grey to RGB and back.</summary>
/// <remarks>
/// The weights are those of ITU-R BT.601 (0.299, 0.587, 0.114) in 16-bit fixed point. They add up to exactly 1, so a grey pixel stored
/// as RGB keeps its value.
/// </remarks>
internal static class ChannelConversion
{
    private const int Red = 19595;
    private const int Green = 38470;
    private const int Blue = 7471;
    private const int Half = 1 << 15;

    public static PixelImage ToGrey(PixelImage rgb)
    {
        var source = rgb.Pixels;
        var grey = new byte[rgb.Width * rgb.Height];
        for (var i = 0; i < grey.Length; i++)
        {
            var pixel = source.Slice(3 * i, 3);
            grey[i] = (byte)(((Red * pixel[0]) + (Green * pixel[1]) + (Blue * pixel[2]) + Half) >> 16);
        }

        return new PixelImage(rgb.Width, rgb.Height, 1, grey);
    }

    public static PixelImage ToRgb(PixelImage grey)
    {
        var source = grey.Pixels;
        var rgb = new byte[checked(3 * source.Length)];
        for (var i = 0; i < source.Length; i++)
        {
            rgb.AsSpan(3 * i, 3).Fill(source[i]);
        }

        return new PixelImage(grey.Width, grey.Height, 3, rgb);
    }
}
