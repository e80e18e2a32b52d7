using SixLabors.ImageSharp;
using SixLabors.ImageSharp.Formats.Bmp;
using SixLabors.ImageSharp.Formats.Gif;
using SixLabors.ImageSharp.Formats.Jpeg;
using SixLabors.ImageSharp.Formats.Png;
using SixLabors.ImageSharp.Formats.Webp;
using SixLabors.ImageSharp.Memory;
using SixLabors.ImageSharp.Metadata;
using ImageConfiguration = SixLabors.ImageSharp.Configuration;

namespace Diffusion.Imaging.ImageSharp;

/// <summary>The decoders that are used, none but these: what may take how much.</summary>
internal static class Decoders
{
    /// <summary>The largest single allocation: four bytes for each of 2²⁷ pixels, and a part more for what decoders keep beside them.</summary>
    public const int MaxMegabytes = 576;

    /// <summary>Five formats; the first frame of an animation; one thread for an image.</summary>
    public static ImageConfiguration Known { get; } = Create();

    /// <summary>Whether an image has grey values only, and no transparency: PNG and JPEG can say so.</summary>
    public static bool IsGrey(IImageInfo info)
    {
        var png = info.Metadata.GetFormatMetadata(PngFormat.Instance);
        return (png is { ColorType: PngColorType.Grayscale, HasTransparency: false })
            || info.Metadata.GetFormatMetadata(JpegFormat.Instance).ColorType == JpegColorType.Luminance;
    }

    private static ImageConfiguration Create()
    {
        var known = new ImageConfiguration(new PngConfigurationModule(), new JpegConfigurationModule(), new WebpConfigurationModule(), new BmpConfigurationModule(), new GifConfigurationModule())
        {
            MaxDegreeOfParallelism = 1,
            MemoryAllocator = MemoryAllocator.Create(new MemoryAllocatorOptions { AllocationLimitMegabytes = MaxMegabytes }),
        };
        var formats = known.ImageFormatsManager;
        formats.SetDecoder(PngFormat.Instance, new PngDecoder { IgnoreMetadata = true });
        formats.SetDecoder(JpegFormat.Instance, new JpegDecoder { IgnoreMetadata = true });
        formats.SetDecoder(WebpFormat.Instance, new WebpDecoder { IgnoreMetadata = true });
        formats.SetDecoder(BmpFormat.Instance, new BmpDecoder { RleSkippedPixelHandling = RleSkippedPixelHandling.Transparent });
        formats.SetDecoder(formats.FindFormatByFileExtension("gif"), new GifDecoder { IgnoreMetadata = true, DecodingMode = FrameDecodingMode.First });
        return known;
    }
}
