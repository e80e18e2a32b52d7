namespace Diffusion;

/// <summary>How a network is trained.</summary>
public sealed record TrainerOptions : IValidatedOptions
{
    /// <summary>Optimizer steps in all, at least 1; 1000 by default.</summary>
    public int Steps { get; init; } = 1000;

    /// <summary>Images a step, at least 1; 64 by default.</summary>
    public int BatchSize { get; init; } = 64;

    /// <summary>The learning rate, above 0; 1e-4 by default.</summary>
    public double LearningRate { get; init; } = 1e-4;

    /// <summary>The optimizer: Adam by default.</summary>
    public OptimizerOptions Optimizer { get; init; } = new();

    /// <summary>The moving average of the weights.</summary>
    public EmaOptions Ema { get; init; } = new();

    /// <summary>The seed of everything random in training: the order of the images, the timesteps, the noise. 0 by default.</summary>
    public long Seed { get; init; }

    /// <summary>Steps between lines in the log, at least 1; 100 by default.</summary>
    public int LogEvery { get; init; } = 100;

    /// <summary>Where and when the state is saved: by default nowhere.</summary>
    public CheckpointOptions Checkpoints { get; init; } = new();

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Steps, nameof(Steps), 1),
        .. OptionsValidation.Range(BatchSize, nameof(BatchSize), 1),
        .. OptionsValidation.Range(LearningRate, nameof(LearningRate), 1e-12, 10.0),
        .. OptionsValidation.Range(LogEvery, nameof(LogEvery), 1),
        .. Optimizer.Validate().Select(error => error.Under(nameof(Optimizer))),
        .. Ema.Validate().Select(error => error.Under(nameof(Ema))),
        .. Checkpoints.Validate().Select(error => error.Under(nameof(Checkpoints))),
    ];
}
