namespace Diffusion;

/// <summary>Options of <see cref="EulerSampler"/> and <see cref="Dpm2Sampler"/>.</summary>
public sealed record EulerOptions : SamplerOptions
{
    /// <summary>η, at least 0: 0 (default) is deterministic, 1 ancestral, infinity replaces all noise in each step.</summary>
    public double Eta { get; init; }

    /// <summary>Noise added before a step; none by default.</summary>
    public Churn Churn { get; init; } = Churn.None;

    /// <summary>The standard deviation of the fresh noise of η, at least 0; 1 by default. k-diffusion's <c>s_noise</c>.</summary>
    public double NoiseScale { get; init; } = 1;

    /// <summary>Whether the slope of <see cref="Dpm2Sampler"/> is that of x/α over σ/α, as in diffusers, instead of that of x; no difference for Euler's method and for α = 1.</summary>
    internal bool Unscaled { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<OptionsError> Validate() =>
    [
        .. base.Validate(),
        .. EtaErrors(Eta),
        .. ChurnErrors(Churn),
        .. OptionsValidation.Range(NoiseScale, nameof(NoiseScale), 0),
    ];
}
