namespace Diffusion;

/// <summary>How a class-conditional network is trained with labels.</summary>
/// <remarks>Classifier-Free Diffusion Guidance, arXiv:2207.12598, algorithm 1: one network learns both, with and without labels.</remarks>
public sealed record LabelTrainingOptions : IValidatedOptions
{
    /// <summary>The label that stands for "no label", in general the number of classes; <see langword="null"/> (default) if the network has none, and then it cannot be guided.</summary>
    public long? NullLabel { get; init; }

    /// <summary>The share of images, in [0, 1), whose label is replaced by the null label; 0.1 by default. Without a null label none is.</summary>
    public double Dropout { get; init; } = 0.1;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(NullLabel ?? 0, nameof(NullLabel), 0),
        .. OptionsValidation.Range(Dropout, nameof(Dropout), 0, 0.999999),
    ];
}
