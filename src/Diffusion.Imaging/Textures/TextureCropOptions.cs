namespace Diffusion.Imaging;

/// <summary>How <see cref="TextureCrops"/> cuts images out of photographs.</summary>
public sealed record TextureCropOptions : IValidatedOptions
{
    private const int LargestSize = 1 << 14;

    /// <summary>The height and width of every image in pixels, in [1, 16384]. Default 28.</summary>
    public int Size { get; init; } = 28;

    /// <summary>1 for grey (the default), 3 for RGB; photographs of the other kind are converted.</summary>
    public int Channels { get; init; } = 1;

    /// <summary>The least height and width of a crop in pixels of the photograph, at least 1. Default 48.</summary>
    public int SmallestCrop { get; init; } = 48;

    /// <summary>The greatest height and width of a crop in pixels of the photograph, at least <see cref="SmallestCrop"/>. Default 128.</summary>
    public int LargestCrop { get; init; } = 128;

    /// <summary>How many images there are, at least 1; <see langword="null"/> (default): 30,000 to train on, 3,000 to test.</summary>
    public int? Count { get; init; }

    /// <summary>The seed of the crops. Default 0.</summary>
    public long Seed { get; init; }

    /// <summary>What decodes the photographs, and which extensions they have. Default <see cref="ImageFile.DefaultCodec"/>.</summary>
    public IImageCodec Codec { get; init; } = ImageFile.DefaultCodec;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Size, nameof(Size), 1, LargestSize),
        .. Channels is 1 or 3 ? Array.Empty<OptionsError>() : [new OptionsError(nameof(Channels), $"must be 1 (grey) or 3 (RGB); it is {Channels}.")],
        .. OptionsValidation.Range(SmallestCrop, nameof(SmallestCrop), 1),
        .. LargestCrop >= SmallestCrop
            ? Array.Empty<OptionsError>()
            : [new OptionsError(nameof(LargestCrop), $"must be at least {nameof(SmallestCrop)}, {SmallestCrop}; it is {LargestCrop}.")],
        .. OptionsValidation.Range(Count ?? 1, nameof(Count), 1),
        .. Codec is null ? [new OptionsError(nameof(Codec), "is null; it must decode the photographs.")] : Array.Empty<OptionsError>(),
    ];
}
