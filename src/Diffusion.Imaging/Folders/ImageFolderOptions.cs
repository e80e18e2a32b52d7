namespace Diffusion.Imaging;

/// <summary>How <see cref="ImageFolder"/> brings the images of a folder to one shape.</summary>
public sealed record ImageFolderOptions
{
    private const int MostPixels = 1 << 29;
    private static readonly SkiaCodec s_codec = new();

    /// <summary>The height of every image in pixels, at least 1. Default 64.</summary>
    public int Height { get; init; } = 64;

    /// <summary>The width of every image in pixels, at least 1. Default 64.</summary>
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

    /// <summary>Whether subfolders are classes. Default <see cref="FolderLabels.Subfolders"/>.</summary>
    public FolderLabels Labels { get; init; } = FolderLabels.Subfolders;

    /// <summary>What happens to images that cannot be read when the folder is opened. Default <see cref="CorruptFiles.Fail"/>.</summary>
    public CorruptFiles OnCorrupt { get; init; } = CorruptFiles.Fail;

    /// <summary>What decodes the files, and which extensions are images. Default <see cref="SkiaCodec"/>.</summary>
    public IImageCodec Codec { get; init; } = s_codec;

    /// <summary>Says everything that is wrong in one exception.</summary>
    internal void Validate()
    {
        var errors = new List<string>();
        Require(Height >= 1, $"Height is {Height}; it must be at least 1");
        Require(Width >= 1, $"Width is {Width}; it must be at least 1");
        Require(Channels is 1 or 3, $"Channels is {Channels}; it must be 1 (grey) or 3 (RGB)");
        Require(
            (long)Math.Max(Height, 1) * Math.Max(Width, 1) <= MostPixels,
            $"Height × Width is {Height}×{Width}; at most {MostPixels} pixels are possible");
        Require(Enum.IsDefined(Fit), $"Fit is {(int)Fit}; it must be one of {string.Join(", ", Enum.GetNames<ImageFit>())}");
        Require(Enum.IsDefined(Labels), $"Labels is {(int)Labels}; it must be one of {string.Join(", ", Enum.GetNames<FolderLabels>())}");
        Require(Enum.IsDefined(OnCorrupt), $"OnCorrupt is {(int)OnCorrupt}; it must be one of {string.Join(", ", Enum.GetNames<CorruptFiles>())}");
        Require(MemoryLimit >= 0, $"MemoryLimit is {MemoryLimit}; it must be at least 0 bytes");
        Require(Codec is not null, "Codec is null; it must decode the images");
        if (errors.Count > 0)
        {
            throw new ArgumentException($"{nameof(ImageFolderOptions)}: {string.Join("; ", errors)}.");
        }

        void Require(bool holds, string otherwise)
        {
            if (!holds)
            {
                errors.Add(otherwise);
            }
        }
    }
}
