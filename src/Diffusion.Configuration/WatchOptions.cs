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
        .. OptionsValidation.Range(TensorBoardEvery, nameof(TensorBoardEvery), 1),
    ];
}
