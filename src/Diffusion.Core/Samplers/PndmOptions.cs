namespace Diffusion;

/// <summary>Options of <see cref="PndmSampler"/>.</summary>
public sealed record PndmOptions : SamplerOptions
{
    /// <summary>
    /// Whether the first three steps are Runge–Kutta steps of four evaluations (PNDM); if not (default), the first step takes two evaluations and the next ones have
    /// increasing order (PLMS). The opposite of <c>skip_prk_steps</c> in diffusers.
    /// </summary>
    public bool RungeKutta { get; init; }

    /// <summary>
    /// The parameterization in which predictions are combined; ε (default) in the paper, that of the network in diffusers (<c>prediction_type</c>). With v the sampler
    /// is bounded at every level, but of first order.
    /// </summary>
    public Parameterization Combined { get; init; } = Parameterization.Epsilon;

    /// <inheritdoc/>
    public override IEnumerable<OptionsError> Validate() =>
        Combined is null ? [.. base.Validate(), new OptionsError(nameof(Combined), "must be a parameterization; it is null.")] : base.Validate();
}
