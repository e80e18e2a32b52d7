namespace Diffusion.Imaging;

/// <summary>What <see cref="PreviewImages"/> draws, and when.</summary>
public sealed record PreviewOptions : IValidatedOptions
{
    /// <summary>Steps from one preview to the next, at least 1; 1000 by default. The last step of the run has one in any case.</summary>
    public int Every { get; init; } = 1000;

    /// <summary>The number of images, at least 1, drawn in one batch; 16 by default.</summary>
    public int Count { get; init; } = 16;

    /// <summary>The most images in a row, at least 1; <see langword="null"/> (default): about as many columns as rows, each of one class where the network is class-conditional.</summary>
    public int? Columns { get; init; }

    /// <summary>How many pixels wide and high each pixel of an image becomes, at least 1; 2 by default.</summary>
    public int Scale { get; init; } = 2;

    /// <summary>The seed of the noise, the same for each preview; 0 by default.</summary>
    public long Seed { get; init; }

    /// <summary>The scale of classifier-free guidance, for a class-conditional network with a null label; 1 (default) for none.</summary>
    public double Guidance { get; init; } = 1;

    /// <summary>There is guidance above this σ/α, finite and at least 0; 0 by default (arXiv:2404.07724).</summary>
    public double GuidanceSigmaMin { get; init; }

    /// <summary>There is guidance up to this σ/α, itself included, above <see cref="GuidanceSigmaMin"/>; infinity by default.</summary>
    public double GuidanceSigmaMax { get; init; } = double.PositiveInfinity;

    /// <summary>The condition of the images, one for all or one for each; <see langword="null"/> (default): all classes in turn where the network takes labels and the images have them, else none.</summary>
    public Condition? Condition { get; init; }

    /// <summary>Whether each predicted image is clipped to [−1, 1]; true by default.</summary>
    public bool Clip { get; init; } = true;

    /// <summary>Whether a second picture is drawn with the weights as they are, not averaged; true by default.</summary>
    public bool Raw { get; init; } = true;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Every, nameof(Every), 1),
        .. OptionsValidation.Range(Count, nameof(Count), 1),
        .. OptionsValidation.Range(Columns ?? 1, nameof(Columns), 1),
        .. OptionsValidation.Range(Scale, nameof(Scale), 1),
        .. OptionsValidation.Range(Guidance, nameof(Guidance), -1000, 1000.0),
        .. OptionsValidation.Range(GuidanceSigmaMin, nameof(GuidanceSigmaMin), 0),
        .. GuidanceSigmaMax > GuidanceSigmaMin ? [] : (OptionsError[])[new(nameof(GuidanceSigmaMax), FormattableString.Invariant($"must be above {nameof(GuidanceSigmaMin)}, {GuidanceSigmaMin}; it is {GuidanceSigmaMax}."))],
    ];
}
