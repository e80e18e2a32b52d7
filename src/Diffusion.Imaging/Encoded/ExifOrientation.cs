namespace Diffusion.Imaging;

/// <summary>Turns an image the way up that the camera noted.</summary>
/// <remarks>The eight values of the tag Orientation (274), TIFF 6.0 and Exif 2.3; 1 is upright.</remarks>
internal static class ExifOrientation
{
    public static PixelImage Apply(PixelImage image, int orientation)
    {
        if (orientation is < 2 or > 8)
        {
            return image;
        }

        var (width, height) = orientation >= 5 ? (image.Height, image.Width) : (image.Width, image.Height);
        var (right, bottom) = (image.Width - 1, image.Height - 1);
        var pixels = new byte[image.Pixels.Length];
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (column, row) = orientation switch
                {
                    2 => (right - x, y),
                    3 => (right - x, bottom - y),
                    4 => (x, bottom - y),
                    5 => (y, x),
                    6 => (y, bottom - x),
                    7 => (right - y, bottom - x),
                    _ => (right - y, x),
                };
                image.Pixels.Slice(((row * image.Width) + column) * image.Channels, image.Channels)
                    .CopyTo(pixels.AsSpan(((y * width) + x) * image.Channels));
            }
        }

        return new PixelImage(width, height, image.Channels, pixels);
    }
}
