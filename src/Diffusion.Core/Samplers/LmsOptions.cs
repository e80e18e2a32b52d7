namespace Diffusion;

/// <summary>Options of <see cref="LmsSampler"/>.</summary>
public sealed record LmsOptions : SamplerOptions
{
    internal const int MaxOrder = 4;

    /// <summary>The number of slopes that are combined, in [1, 4]; 4 by default. The first steps have fewer. The argument <c>order</c> of diffusers and k-diffusion.</summary>
    public int Order { get; init; } = MaxOrder;

    /// <inheritdoc/>
    public override IEnumerable<OptionsError> Validate() => [.. base.Validate(), .. OptionsValidation.Range(Order, nameof(Order), 1, MaxOrder)];
}
