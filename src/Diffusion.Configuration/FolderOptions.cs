using Diffusion.Imaging;

namespace Diffusion.Configuration;

/// <summary>What is particular to a folder of images.</summary>
public sealed record FolderOptions : IValidatedOptions
{
    /// <summary>Whether subfolders are labels (default) or the images have none.</summary>
    public FolderLabels Labels { get; init; } = FolderLabels.Subfolders;

    /// <summary>Whether images that cannot be read end the run at its start (default) or are skipped.</summary>
    public CorruptFiles OnCorrupt { get; init; } = CorruptFiles.Fail;

    /// <summary>
    /// A folder of images that are kept from training, with the same subfolders; <see langword="null"/> (default) for none. In a configuration
    /// file, relative to the file's own folder.
    /// </summary>
    public string? ValidationPath { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. Named(Labels, nameof(Labels)),
        .. Named(OnCorrupt, nameof(OnCorrupt)),
        .. ValidationPath is not null && string.IsNullOrWhiteSpace(ValidationPath)
            ? [new OptionsError(nameof(ValidationPath), "must be a folder, or absent; it is empty.")]
            : Array.Empty<OptionsError>(),
    ];

    private static IEnumerable<OptionsError> Named<T>(T value, string path)
        where T : struct, Enum =>
        Enum.IsDefined(value) ? [] : [new OptionsError(path, $"must be one of {string.Join(", ", Enum.GetNames<T>())}; it is {value}.")];
}
