namespace Diffusion;

/// <summary>Options of <see cref="DdpmSampler"/>.</summary>
public sealed record DdpmOptions : SamplerOptions
{
    /// <summary>The variance of a step; the posterior's, <see cref="ReverseVariance.FixedSmall"/>, by default. The learned kinds need a network with twice the channels. In diffusers <c>variance_type</c>.</summary>
    public ReverseVariance Variance { get; init; } = ReverseVariance.FixedSmall;

    /// <summary>
    /// Whether the variance is also used in a last step that begins above timestep 0, as in diffusers; the paper's algorithm 2 adds no noise in the last step. β̃ is 1e-20 there,
    /// none for <see cref="ReverseVariance.FixedSmall"/>.
    /// </summary>
    internal bool NoiseAtEnd { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<OptionsError> Validate() => [.. base.Validate(), .. OptionsValidation.Defined(Variance, nameof(Variance))];
}
