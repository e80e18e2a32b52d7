namespace Diffusion;

/// <summary>Options of <see cref="HeunSampler"/>.</summary>
public sealed record HeunOptions : SamplerOptions
{
    /// <summary>
    /// The stochastic sampler of EDM with the settings of the paper for ImageNet 64×64: Karras's spacing, S_churn = 40, S_tmin = 0.05, S_tmax = 50, S_noise = 1.003,
    /// x in Float64, from σ·ε. <c>new HeunSampler(256, HeunOptions.Edm)</c>.
    /// </summary>
    /// <remarks>Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, table 5.</remarks>
    public static HeunOptions Edm { get; } = new() { Spacing = StepSpacing.Karras(), Churn = new Churn(40, 0.05, 50, 1.003), DoublePrecision = true, StartsAtSigma = true };

    /// <summary>Noise added before a step; none by default.</summary>
    public Churn Churn { get; init; } = Churn.None;

    /// <summary>Whether x is kept in Float64 between the network calls, as in the EDM code; false by default.</summary>
    public bool DoublePrecision { get; init; }

    /// <summary>Whether the slope is that of x/α over σ/α, as in diffusers, instead of that of x; no difference for α = 1. False by default.</summary>
    public bool Unscaled { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<OptionsError> Validate() => [.. base.Validate(), .. ChurnErrors(Churn)];
}
