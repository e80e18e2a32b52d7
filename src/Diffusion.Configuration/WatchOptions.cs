namespace Diffusion.Configuration;

/// <summary>What is watched while a run trains, besides its loss. The defaults cost nothing.</summary>
public sealed record WatchOptions : IValidatedOptions
{
    /// <summary>Steps from one preview to the next, at least 1; <see langword="null"/> (default) for none.</summary>
    public int? PreviewEvery { get; init; }

    /// <summary>The images of a preview, at least 1; 16 by default.</summary>
    public int PreviewImages { get; init; } = 16;

    /// <summary>The sampler's steps for a preview, at least 1; <see langword="null"/> (default) for those of <see cref="SamplingOptions.Steps"/>.</summary>
    public int? PreviewSteps { get; init; }

    /// <summary>Steps from one evaluation on held-out images to the next, at least 1; <see langword="null"/> (default) for none.</summary>
    public int? ValidateEvery { get; init; }

    /// <summary>How many held-out images are evaluated, at least 1; 512 by default.</summary>
    public int ValidationImages { get; init; } = 512;

    /// <summary>
    /// Steps from one Fréchet distance of drawn images to the next, at least 1; <see langword="null"/> (default) for none. The features are those of a network for grey images of 28×28 pixels, which the images of the run must be.
    /// Training waits for each: <see cref="EvaluationImages"/> × <see cref="EvaluationSteps"/> evaluations of the network without gradients, twice as many with guidance and with samplers that evaluate twice a step.
    /// </summary>
    public int? EvaluateEvery { get; init; }

    /// <summary>How many images are drawn for a distance, at least 2; 2000 by default. Distances of fewer images are larger, all else equal.</summary>
    public int EvaluationImages { get; init; } = 2000;

    /// <summary>The sampler's steps for a distance, at least 1; <see langword="null"/> (default) for those of <see cref="SamplingOptions.Steps"/>.</summary>
    public int? EvaluationSteps { get; init; }

    /// <summary>Whether event files for TensorBoard are written; false by default.</summary>
    public bool TensorBoard { get; init; }

    /// <summary>Steps from one write of numbers for TensorBoard to the next, at least 1; 10 by default.</summary>
    public int TensorBoardEvery { get; init; } = 10;

    /// <summary>Whether an HTML report is written at the end; true by default.</summary>
    public bool Report { get; init; } = true;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(PreviewEvery ?? 1, nameof(PreviewEvery), 1),
        .. OptionsValidation.Range(PreviewImages, nameof(PreviewImages), 1),
        .. OptionsValidation.Range(PreviewSteps ?? 1, nameof(PreviewSteps), 1),
        .. OptionsValidation.Range(ValidateEvery ?? 1, nameof(ValidateEvery), 1),
        .. OptionsValidation.Range(ValidationImages, nameof(ValidationImages), 1),
        .. OptionsValidation.Range(EvaluateEvery ?? 1, nameof(EvaluateEvery), 1),
        .. OptionsValidation.Range(EvaluationImages, nameof(EvaluationImages), 2),
        .. OptionsValidation.Range(EvaluationSteps ?? 1, nameof(EvaluationSteps), 1),
        .. OptionsValidation.Range(TensorBoardEvery, nameof(TensorBoardEvery), 1),
    ];
}
