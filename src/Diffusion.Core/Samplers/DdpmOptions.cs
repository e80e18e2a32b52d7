namespace Diffusion;

/// <summary>Options of <see cref="DdpmSampler"/>.</summary>
public sealed record DdpmOptions : SamplerOptions
{
    /// <summary>The variance of a step; the posterior's, <see cref="ReverseVariance.FixedSmall"/>, by default. The learned kinds need a network with twice the channels. In diffusers <c>variance_type</c>.</summary>
    public ReverseVariance Variance { get; init; } = ReverseVariance.FixedSmall;

    /// <inheritdoc/>
    public override IEnumerable<OptionsError> Validate() => [.. base.Validate(), .. OptionsValidation.Defined(Variance, nameof(Variance))];
}
