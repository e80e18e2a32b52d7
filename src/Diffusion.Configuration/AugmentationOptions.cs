using Diffusion.Imaging;

namespace Diffusion.Configuration;

/// <summary>How images vary from draw to draw in training; by default they do not.</summary>
public sealed record AugmentationOptions : IValidatedOptions
{
    private const double SmallestArea = 0.01;

    /// <summary>Mirrors every other image, at random, left to right. Default <see langword="false"/>.</summary>
    public bool HorizontalFlip { get; init; }

    /// <summary>Mirrors every other image, at random, top to bottom. Default <see langword="false"/>.</summary>
    public bool VerticalFlip { get; init; }

    /// <summary>Turns images by a random number of quarter turns. Default <see langword="false"/>.</summary>
    public bool QuarterTurns { get; init; }

    /// <summary>
    /// For a folder: images are read in this height and width, at least <see cref="DataOptions.Size"/>, and a random part of that size is cut
    /// out; <see langword="null"/> (default): they are read in the size.
    /// </summary>
    public int? CropFrom { get; init; }

    /// <summary>
    /// The least area of a random part that is resized to the size, as a share of the whole, in [0.01, 1]; <see langword="null"/> (default) for
    /// no such parts. With <see cref="CropFrom"/> the parts are cut out of the larger images.
    /// </summary>
    public double? SmallestResizedCrop { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(CropFrom ?? 1, nameof(CropFrom), 1),
        .. OptionsValidation.Range(SmallestResizedCrop ?? 1, nameof(SmallestResizedCrop), SmallestArea, 1),
    ];

    /// <summary>The size that images are read in.</summary>
    internal int SizeToRead(int size) => CropFrom ?? size;

    /// <summary>The source as it is trained on.</summary>
    internal IImageSource ForTraining(IImageSource source, int size)
    {
        Augmentation[] augmentations =
        [
            .. SmallestResizedCrop is { } area ? [new RandomResizedCrop(size, size, area)]
                : CropFrom is null ? Array.Empty<Augmentation>()
                : [new RandomCrop(size, size)],
            .. HorizontalFlip ? [new HorizontalFlip()] : Array.Empty<Augmentation>(),
            .. VerticalFlip ? [new VerticalFlip()] : Array.Empty<Augmentation>(),
            .. QuarterTurns ? [new QuarterTurns()] : Array.Empty<Augmentation>(),
        ];
        return augmentations.Length == 0 ? source : new AugmentedImages(source, augmentations);
    }

    /// <summary>The source in the shape and at the scale that is trained on, with nothing random.</summary>
    internal IImageSource ForValidation(IImageSource source, int size) =>
        CropFrom is null ? source
        : new AugmentedImages(source, SmallestResizedCrop is null ? new CenterCrop(size, size) : new RandomResizedCrop(size, size, 1)); // all of the image
}
