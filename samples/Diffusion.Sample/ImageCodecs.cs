using System.CommandLine;
using Diffusion.Configuration;
using Diffusion.Imaging;
using Diffusion.Imaging.ImageSharp;

namespace Diffusion.Sample;

/// <summary>What decodes image files.</summary>
internal static class ImageCodecs
{
    public static readonly Option<string?> Name = new("--codec") { Description = "What decodes image files, instead of the configuration's: skia (default) or imageSharp." };

    /// <summary>The codec that a configuration names.</summary>
    public static IImageCodec Of(DataOptions data) => data.NeedsCodec() ? new ImageSharpCodec() : ImageFile.DefaultCodec;

    /// <summary>A configuration's images with the codec of the command line, if it names one.</summary>
    /// <exception cref="UsageException">There is no such codec.</exception>
    public static DataOptions Over(DataOptions data, string? name)
    {
        var options = data with { Codec = name ?? data.Codec };
        return name is null || options.Validate().FirstOrDefault(error => error.Path == nameof(DataOptions.Codec)) is not { } wrong
            ? options
            : throw new UsageException($"{Name.Name} {wrong.Message}");
    }
}
