namespace Diffusion;

/// <summary>Options of <see cref="UniPcSampler"/>.</summary>
public sealed record UniPcOptions : SamplerOptions
{
    /// <summary>In [1, 3]; 2 by default. <c>solver_order</c> in diffusers.</summary>
    public int Order { get; init; } = 2;

    /// <summary>The scale of the correction; <see cref="UniPcSolverType.Bh2"/> by default. <c>solver_type</c> in diffusers.</summary>
    public UniPcSolverType SolverType { get; init; } = UniPcSolverType.Bh2;

    /// <summary>Whether x̂₀ is extrapolated (default) or ε̂. <c>predict_x0</c> in diffusers.</summary>
    public bool PredictX0 { get; init; } = true;

    /// <summary>The indices of the steps, from 0, whose result is not corrected; none by default. <c>disable_corrector</c> in diffusers.</summary>
    public IReadOnlyList<int> DisableCorrector { get; init; } = [];

    /// <summary>Whether the order falls to 1 towards the end of a run; true by default. <c>lower_order_final</c> in diffusers.</summary>
    public bool LowerOrderFinal { get; init; } = true;

    /// <inheritdoc/>
    public override IEnumerable<OptionsError> Validate() =>
    [
        .. base.Validate(),
        .. OptionsValidation.Range(Order, nameof(Order), 1, 3),
        .. OptionsValidation.Defined(SolverType, nameof(SolverType)),
        .. DisableCorrector is null
            ? [new OptionsError(nameof(DisableCorrector), "must be a list of step indices; it is null.")]
            : DisableCorrector.SelectMany((step, i) => OptionsValidation.Range(step, $"{nameof(DisableCorrector)}[{i}]", 0)),
    ];
}
