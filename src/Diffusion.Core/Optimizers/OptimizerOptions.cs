namespace Diffusion;

/// <summary>How weights are updated. The defaults are Adam's, as in PyTorch.</summary>
public sealed record OptimizerOptions : IValidatedOptions
{
    /// <summary>Adam (default) or AdamW.</summary>
    public OptimizerKind Kind { get; init; } = OptimizerKind.Adam;

    /// <summary>The decay of the mean of gradients, in [0, 1); 0.9 by default.</summary>
    public double Beta1 { get; init; } = 0.9;

    /// <summary>The decay of the mean of squared gradients, in [0, 1); 0.999 by default.</summary>
    public double Beta2 { get; init; } = 0.999;

    /// <summary>Added to the denominator, above 0; 1e-8 by default.</summary>
    public double Epsilon { get; init; } = 1e-8;

    /// <summary>The weight decay, at least 0; 0 by default.</summary>
    public double WeightDecay { get; init; }

    /// <summary>Whether norms and biases, the parameters of one dimension, are left out of the weight decay; false by default, as in PyTorch.</summary>
    public bool DecayMatricesOnly { get; init; }

    /// <summary>The largest norm of all gradients together, above 0: longer ones are scaled to it; <see langword="null"/> (default) for no limit.</summary>
    public double? GradientClip { get; init; }

    /// <summary>
    /// How many steps in a row, at least 0, are skipped when their loss or gradient is not a finite number: the weights stay and training goes on with the next
    /// batch. One more ends the run. 0 by default: the first one does. What a network of your own keeps in buffers, such as
    /// running statistics, is not put back.
    /// </summary>
    public int SkipNotFinite { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Beta1, nameof(Beta1), 0, 0.999999),
        .. OptionsValidation.Range(Beta2, nameof(Beta2), 0, 0.9999999),
        .. OptionsValidation.Range(Epsilon, nameof(Epsilon), 1e-16, 1.0),
        .. OptionsValidation.Range(WeightDecay, nameof(WeightDecay), 0.0),
        .. OptionsValidation.Range(GradientClip ?? 1, nameof(GradientClip), 1e-12),
        .. OptionsValidation.Range(SkipNotFinite, nameof(SkipNotFinite), 0),
        .. Enum.IsDefined(Kind) ? Array.Empty<OptionsError>() : [new OptionsError(nameof(Kind), $"must be one of {string.Join(", ", Enum.GetNames<OptimizerKind>())}; it is {Kind}.")],
    ];
}
