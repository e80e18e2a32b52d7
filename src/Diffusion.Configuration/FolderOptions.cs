namespace Diffusion.Configuration;

/// <summary>What is particular to a folder of images.</summary>
public sealed record FolderOptions : IValidatedOptions
{
    /// <summary>Whether subfolders are labels (default) or the images have none.</summary>
    public bool Labels { get; init; } = true;

    /// <summary>Whether images that cannot be read are skipped; by default they end the run at its start.</summary>
    public bool SkipCorrupt { get; init; }

    /// <summary>
    /// A folder of images that are kept from training, with the same subfolders; <see langword="null"/> (default) for none. In a configuration
    /// file, relative to the file's own folder.
    /// </summary>
    public string? ValidationPath { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. ValidationPath is not null && string.IsNullOrWhiteSpace(ValidationPath)
            ? [new OptionsError(nameof(ValidationPath), "must be a folder, or absent; it is empty.")]
            : Array.Empty<OptionsError>(),
    ];
}
