namespace Diffusion.Models;

/// <summary>How a timestep becomes a vector: waves or a row of a table, then linear, SiLU, linear.</summary>
public sealed record TimeEmbeddingOptions : IValidatedOptions
{
    /// <summary>Sinusoidal by default.</summary>
    public TimeEmbeddingKind Kind { get; init; } = TimeEmbeddingKind.Sinusoidal;

    /// <summary>The numbers that enter the first linear map, even unless a table makes them; <see langword="null"/> (default): as many as leave the second.</summary>
    public int? Width { get; init; }

    /// <summary>The order of the waves; sines first by default.</summary>
    public WaveOrder Order { get; init; } = WaveOrder.SineFirst;

    /// <summary>
    /// The shift s in the sinusoidal frequencies MaxPeriod^(−i/(Width/2 − s)), from 0 up to below Width/2: with 1 the last period is exactly
    /// <see cref="MaxPeriod"/>, with 0 (default) a little shorter.
    /// </summary>
    public double FrequencyShift { get; init; }

    /// <summary>The longest period of sinusoidal waves over 2π, in timesteps, above 1; 10,000 by default.</summary>
    public double MaxPeriod { get; init; } = 10_000;

    /// <summary>The standard deviation of the random Fourier frequencies, above 0; 16 by default.</summary>
    public double FourierScale { get; init; } = 16;

    /// <summary>The rows of the table: timesteps are in [0, Steps − 1]; 1000 by default.</summary>
    public int Steps { get; init; } = 1000;

    /// <summary>What a diffusers configuration with Fourier waves says of their order. That class ignores it, its sines come first; kept so that the configuration is written as it was.</summary>
    internal bool IgnoredFlip { get; init; }

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        if (!Enum.IsDefined(Kind))
        {
            yield return new OptionsError(nameof(Kind), $"must be one of {string.Join(", ", Enum.GetNames<TimeEmbeddingKind>())}; it is {Kind}.");
        }

        if (Width is { } width && (width < 1 || (Kind != TimeEmbeddingKind.Table && width % 2 != 0)))
        {
            yield return new OptionsError(nameof(Width), $"must be even and at least 2; it is {width}.");
        }

        if (!Enum.IsDefined(Order))
        {
            yield return new OptionsError(nameof(Order), $"must be one of {string.Join(", ", Enum.GetNames<WaveOrder>())}; it is {Order}.");
        }

        if (!(FrequencyShift >= 0 && double.IsFinite(FrequencyShift)) || (Width is >= 2 && Kind == TimeEmbeddingKind.Sinusoidal && FrequencyShift >= Width / 2))
        {
            yield return new OptionsError(nameof(FrequencyShift), FormattableString.Invariant($"must be at least 0 and below half of {nameof(Width)}; it is {FrequencyShift}."));
        }

        if (!(MaxPeriod > 1 && double.IsFinite(MaxPeriod)))
        {
            yield return new OptionsError(nameof(MaxPeriod), FormattableString.Invariant($"must be above 1; it is {MaxPeriod}."));
        }

        if (!(FourierScale > 0 && double.IsFinite(FourierScale)))
        {
            yield return new OptionsError(nameof(FourierScale), FormattableString.Invariant($"must be above 0; it is {FourierScale}."));
        }

        if (Steps < 1)
        {
            yield return new OptionsError(nameof(Steps), $"must be at least 1; it is {Steps}.");
        }
    }
}
