namespace Diffusion.Imaging;

/// <summary>How <see cref="ImageGrid"/> lays out images.</summary>
public sealed record ImageGridOptions : IValidatedOptions
{
    /// <summary>The space around and between the images, in pixels of the result, at least 0. Default 2.</summary>
    public int Padding { get; init; } = 2;

    /// <summary>How many pixels wide and high each pixel of an image becomes (repeated, not smoothed), at least 1. Default 1.</summary>
    public int Scale { get; init; } = 1;

    /// <summary>The grey of the space and of empty cells, from 0 (black, the default) to 255 (white).</summary>
    public byte Background { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
        [.. OptionsValidation.Range(Padding, nameof(Padding), 0), .. OptionsValidation.Range(Scale, nameof(Scale), 1)];
}
