namespace Diffusion.Models;

/// <summary>What the residual blocks of a network have in common.</summary>
public sealed record ResidualOptions : IValidatedOptions
{
    /// <summary>What normalisations add to the variance, above 0; 1e-5 by default. The network's last normalisation has it, too.</summary>
    public double NormEps { get; init; } = 1e-5;

    /// <summary>The activation; SiLU by default. The time embedding's own and the network's last activation are always SiLU.</summary>
    public Activation Activation { get; init; } = Activation.Silu;

    /// <summary>The part of values set to zero before the second convolution while training, in [0, 1); 0 by default. The trainer's seed, the step and the image decide which; in
    /// training loops of one's own, libtorch's global generator.</summary>
    public double Dropout { get; init; }

    /// <summary>How a block is told the time; added by default.</summary>
    public TimeInjection TimeInjection { get; init; } = TimeInjection.Add;

    /// <summary>What the sum of a residual branch and its input is divided by, above 0; 1 by default, √2 keeps the variance.</summary>
    public double OutputScale { get; init; } = 1;

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        if (!(NormEps > 0 && double.IsFinite(NormEps)))
        {
            yield return new OptionsError(nameof(NormEps), FormattableString.Invariant($"must be above 0; it is {NormEps}."));
        }

        if (!Enum.IsDefined(Activation))
        {
            yield return new OptionsError(nameof(Activation), $"must be one of {string.Join(", ", Enum.GetNames<Activation>())}; it is {Activation}.");
        }

        if (!(Dropout is >= 0 and < 1))
        {
            yield return new OptionsError(nameof(Dropout), FormattableString.Invariant($"must be in [0, 1); it is {Dropout}."));
        }

        if (!Enum.IsDefined(TimeInjection))
        {
            yield return new OptionsError(nameof(TimeInjection), $"must be one of {string.Join(", ", Enum.GetNames<TimeInjection>())}; it is {TimeInjection}.");
        }

        if (!(OutputScale > 0 && double.IsFinite(OutputScale)))
        {
            yield return new OptionsError(nameof(OutputScale), FormattableString.Invariant($"must be above 0; it is {OutputScale}."));
        }
    }
}
