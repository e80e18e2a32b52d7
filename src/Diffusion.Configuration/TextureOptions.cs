using Diffusion.Imaging;

namespace Diffusion.Configuration;

/// <summary>What is particular to textures that are cut out of photographs.</summary>
public sealed record TextureOptions : IValidatedOptions
{
    private static readonly TextureCropOptions s_defaults = new();

    /// <summary>The least height and width of a crop in pixels of the photograph, at least 1; 48 by default.</summary>
    public int SmallestCrop { get; init; } = s_defaults.SmallestCrop;

    /// <summary>The greatest height and width of a crop in pixels of the photograph, at least <see cref="SmallestCrop"/>; 128 by default.</summary>
    public int LargestCrop { get; init; } = s_defaults.LargestCrop;

    /// <summary>How many images there are to train on, at least 1; <see langword="null"/> (default) for 30,000.</summary>
    public int? Count { get; init; }

    /// <summary>How many images are kept from training, at least 1; <see langword="null"/> (default) for 3,000.</summary>
    public int? ValidationCount { get; init; }

    /// <summary>The seed of the crops; 0 by default.</summary>
    public long Seed { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. For(Split.Train, s_defaults.Size, s_defaults.Channels).Validate(),
        .. OptionsValidation.Range(ValidationCount ?? 1, nameof(ValidationCount), 1),
    ];

    internal TextureCropOptions For(Split split, int size, int channels) => new()
    {
        Size = size,
        Channels = channels,
        SmallestCrop = SmallestCrop,
        LargestCrop = LargestCrop,
        Count = split == Split.Train ? Count : ValidationCount,
        Seed = Seed,
    };
}
