using System.Text.Json.Serialization;

namespace Diffusion;

/// <summary>Where and when a trainer saves its state.</summary>
public sealed record CheckpointOptions : IValidatedOptions
{
    /// <summary>The folder of the checkpoints; <see langword="null"/> (default): none are written.</summary>
    [JsonIgnore]
    public string? Folder { get; init; }

    /// <summary>Steps between checkpoints, at least 1; 1000 by default. One more is written at the end and when training is cancelled.</summary>
    public int Every { get; init; } = 1000;

    /// <summary>How many checkpoints are kept, at least 1; 2 by default. Older ones are deleted after a new one is safe.</summary>
    public int Keep { get; init; } = 2;

    /// <summary>Text that is stored with the weights, in the header of the safetensors files: the configuration of the run, for example.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Every, nameof(Every), 1),
        .. OptionsValidation.Range(Keep, nameof(Keep), 1),
    ];
}
