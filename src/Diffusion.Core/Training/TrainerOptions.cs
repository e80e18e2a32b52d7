namespace Diffusion;

/// <summary>How a network is trained.</summary>
public sealed record TrainerOptions : IValidatedOptions
{
    /// <summary>Optimizer steps in all, at least 1; 1000 where neither this nor <see cref="Epochs"/> is given.</summary>
    public int? Steps { get; init; }

    /// <summary>Passes over the images in all, at least 1, instead of <see cref="Steps"/>.</summary>
    public int? Epochs { get; init; }

    /// <summary>Images a step, at least 1; 64 by default.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>
    /// Images in memory at once, at least 1: the gradients of a batch are added up from parts of so many images, the last of which may be smaller. The same batch,
    /// timesteps and noise as in one part. <see langword="null"/> (default) for the whole batch.
    /// </summary>
    public int? MicroBatchSize { get; init; }

    /// <summary>The learning rate, above 0; 1e-4 by default.</summary>
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>How the learning rate changes over the run; constant by default.</summary>
    public LearningRateOptions LearningRateSchedule { get; init; } = new();

    /// <summary>The optimizer: Adam by default.</summary>
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>The moving average of the weights.</summary>
    public EmaOptions Ema { get; init; } = new();

    /// <summary>
    /// What the network computes in; float32 by default. Bfloat16 takes about 0.6 of the time on processors with AVX512_BF16, and less memory with AVX2 and more;
    /// on CPUs that cannot use it the network computes in float32 (<see cref="DiffusionRuntime.UsesBFloat16"/>). Weights, gradients, their averages and checkpoints are float32 either way, and a checkpoint of one precision can be resumed in the other.
    /// </summary>
    public ComputePrecision Precision { get; init; }

    /// <summary>The seed of everything random in training: the order of the images, what varies in them, the timesteps, the noise. 0 by default.</summary>
    public long Seed { get; init; }

    /// <summary>How images come to the trainer: how many batches ahead, in which order.</summary>
    public LoaderOptions Loader { get; init; } = new();

    /// <summary>Where and when the state is saved: by default nowhere.</summary>
    public CheckpointOptions Checkpoints { get; init; } = new();

    /// <summary>The optimizer steps of a run over so many images.</summary>
    /// <param name="images">The number of images.</param>
    /// <returns><see cref="Steps"/>, or the steps that <see cref="Epochs"/> takes, the last one begun counted whole.</returns>
    public int StepsFor(int images) => Steps ?? (Epochs is { } epochs ? checked((int)((((long)epochs * images) + BatchSize - 1) / BatchSize)) : 1000);

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Steps ?? 1, nameof(Steps), 1),
        .. OptionsValidation.Range(Epochs ?? 1, nameof(Epochs), 1),
        .. Steps is { } steps && Epochs is { } epochs ? [new OptionsError(nameof(Epochs), $"excludes {nameof(Steps)}; {nameof(Steps)} is {steps} and {nameof(Epochs)} is {epochs}.")] : Array.Empty<OptionsError>(),
        .. OptionsValidation.Range(BatchSize, nameof(BatchSize), 1),
        .. OptionsValidation.Range(LearningRate, nameof(LearningRate), 1e-12, 10.0),
        .. OptionsValidation.Range(MicroBatchSize ?? 1, nameof(MicroBatchSize), 1),
        .. Enum.IsDefined(Precision) ? Array.Empty<OptionsError>() : [new OptionsError(nameof(Precision), $"must be one of {string.Join(", ", Enum.GetNames<ComputePrecision>())}; it is {Precision}.")],
        .. LearningRateSchedule.Validate().Select(error => error.Under(nameof(LearningRateSchedule))),
        .. Optimizer.Validate().Select(error => error.Under(nameof(Optimizer))),
        .. Ema.Validate().Select(error => error.Under(nameof(Ema))),
        .. Loader.Validate().Select(error => error.Under(nameof(Loader))),
        .. Checkpoints.Validate().Select(error => error.Under(nameof(Checkpoints))),
        .. Checkpoints.SnapshotEvery is { } every && Ema.Others.Prepend(Ema).All(average => average.RelativeWidth is null)
            ? [new OptionsError($"{nameof(Checkpoints)}.{nameof(Checkpoints.SnapshotEvery)}", $"is for averages with a {nameof(EmaOptions.RelativeWidth)}; there are none, and it is {every}.")]
            : Array.Empty<OptionsError>(),
    ];
}
