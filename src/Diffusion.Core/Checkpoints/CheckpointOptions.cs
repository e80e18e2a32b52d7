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

    /// <summary>How many of the newest whole checkpoints are kept, at least 1; 2 by default. Older ones are deleted after a new one is on the disk; damaged ones do not count, and neither do those of a later step than the new one, which stay.</summary>
    public int Keep { get; init; } = 2;

    /// <summary>Checkpoints whose step is a multiple of this, at least 1, are never deleted; <see langword="null"/> (default) for none.</summary>
    public int? KeepEvery { get; init; }

    /// <summary>
    /// Steps between snapshots of the averages by power functions (<see cref="EmaOptions.RelativeWidth"/>), at least 1, from which <see cref="PostHocEma"/> makes others
    /// after the run; <see langword="null"/> (default) for none. A checkpoint is written at the same steps. They lie in the folder <c>averages</c> and are never deleted.
    /// </summary>
    public int? SnapshotEvery { get; init; }

    /// <summary>Text that is stored with the weights, in the header of the safetensors files: the configuration of the run, for example.</summary>
    [JsonIgnore]
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>
    /// Whether a run may go on with other images than it was started on: another number, other classes or labels, another <see cref="IImageSource.Fingerprint"/>. What differs is logged. <see langword="false"/>
    /// (default): <see cref="Trainer.Fit"/> refuses them.
    /// </summary>
    [JsonIgnore]
    public bool OtherImages { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Every, nameof(Every), 1),
        .. OptionsValidation.Range(Keep, nameof(Keep), 1),
        .. OptionsValidation.Range(KeepEvery ?? 1, nameof(KeepEvery), 1),
        .. OptionsValidation.Range(SnapshotEvery ?? 1, nameof(SnapshotEvery), 1),
    ];
}
