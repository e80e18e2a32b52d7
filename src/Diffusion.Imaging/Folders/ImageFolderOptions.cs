namespace Diffusion.Imaging;

/// <summary>How <see cref="ImageFolder"/> brings the images of a folder to one shape.</summary>
public sealed record ImageFolderOptions : IValidatedOptions
{
    /// <summary>The height of every image in pixels, from 1 to 1,000,000. Default 64.</summary>
    public int Height { get; init; } = 64;

    /// <summary>The width of every image in pixels, from 1 to 1,000,000; times the height at most 2²⁹. Default 64.</summary>
    public int Width { get; init; } = 64;

    /// <summary>
    /// 1 for grey, 3 for RGB (the default); images of the other kind are converted (<see cref="PixelImage.WithChannels"/>).
    /// </summary>
    public int Channels { get; init; } = 3;

    /// <summary>What happens to images with another aspect ratio. Default <see cref="ImageFit.CropToFill"/>.</summary>
    public ImageFit Fit { get; init; } = ImageFit.CropToFill;

    /// <summary>
    /// How many bytes of decoded images are kept in memory, at least 0. Default 1 GiB. An image takes Height · Width · Channels bytes;
    /// those that do not fit are decoded anew every time they are read.
    /// </summary>
    public long MemoryLimit { get; init; } = 1L << 30;

    /// <summary>Whether every subfolder is a class (default; where there are none, the images have no labels), or the images have no labels, at whatever depth they lie.</summary>
    public bool Labels { get; init; } = true;

    /// <summary>
    /// Whether images that cannot be read when the folder is opened are left out and listed in <see cref="ImageFolder.SkippedFiles"/>; opening fails where nothing, or nothing of a class, is
    /// left. By default opening fails at any, and says which they are and why.
    /// </summary>
    public bool SkipCorrupt { get; init; }

    /// <summary>What decodes the files, and which extensions are images. Default <see cref="ImageFile.DefaultCodec"/>.</summary>
    public IImageCodec Codec { get; init; } = ImageFile.DefaultCodec;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Height, nameof(Height), 1),
        .. OptionsValidation.Range(Width, nameof(Width), 1),
        .. (long)Math.Max(Height, 1) * Math.Max(Width, 1) <= ImageLimits.Scaled
            ? []
            : new[] { new OptionsError(nameof(Width), $"times {nameof(Height)} must be at most {ImageLimits.Scaled}; it is {Height}×{Width}.") },
        .. Math.Max(Height, Width) <= ImageLimits.Side
            ? []
            : new[] { new OptionsError(nameof(Width), $"and {nameof(Height)} must be at most {ImageLimits.Side}; they are {Width} and {Height}.") },
        .. Channels is 1 or 3 ? [] : new[] { new OptionsError(nameof(Channels), $"must be 1 (grey) or 3 (RGB); it is {Channels}.") },
        .. OptionsValidation.Defined(Fit, nameof(Fit)),
        .. OptionsValidation.Range(MemoryLimit, nameof(MemoryLimit), 0),
        .. Codec is not null ? [] : new[] { new OptionsError(nameof(Codec), "must decode the images; it is null.") },
    ];
}
