namespace Diffusion;

/// <summary>Options of <see cref="LcmSampler"/>.</summary>
public sealed record LcmOptions : SamplerOptions
{
    /// <summary>s, finite and above 0; 10 by default. <c>timestep_scaling</c> in diffusers.</summary>
    public double TimestepScaling { get; init; } = 10;

    /// <summary>σ_d, the standard deviation of the images, finite and above 0; 0.5 by default.</summary>
    public double SigmaData { get; init; } = 0.5;

    /// <inheritdoc/>
    public override IEnumerable<OptionsError> Validate() =>
        [.. base.Validate(), .. PositiveErrors(TimestepScaling, nameof(TimestepScaling)), .. PositiveErrors(SigmaData, nameof(SigmaData))];
}
