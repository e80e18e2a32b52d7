using Diffusion.Configuration;
using Diffusion.Imaging;
using Diffusion.Imaging.ImageSharp;

namespace Diffusion.Sample;

/// <summary>What decodes image files.</summary>
internal static class ImageCodecs
{
    /// <summary>The codec that a configuration names.</summary>
    public static IImageCodec Of(DataOptions data) => string.Equals(data.Codec, "imageSharp", StringComparison.OrdinalIgnoreCase) ? new ImageSharpCodec() : ImageFile.DefaultCodec;
}
