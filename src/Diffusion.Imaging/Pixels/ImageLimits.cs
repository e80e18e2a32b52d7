namespace Diffusion.Imaging;

/// <summary>The largest images.</summary>
internal static class ImageLimits
{
    /// <summary>Of an image that is decoded, in pixels: a few bytes can declare an image that fills any memory.</summary>
    public const long Decoded = 1L << 27;

    /// <summary>Of the result of scaling, in pixels.</summary>
    public const long Scaled = 1L << 29;

    /// <summary>Of a width or height: libpng's limit for PNG, here for every format, for scaling has tables of both sides.</summary>
    public const int Side = 1_000_000;

    /// <summary>Of the intermediate results of scaling, in bytes, where there is another order that needs less.</summary>
    public const long Strips = 1L << 28;
}
