namespace Diffusion;

/// <summary>Options of <see cref="DpmSolverSampler"/>; the default is DPM-Solver++(2M).</summary>
public sealed record DpmSolverOptions : SamplerOptions
{
    /// <summary>In [1, 3]; 2 by default. 3 is more accurate where the network is, 2 with guidance. <c>solver_order</c> in diffusers.</summary>
    public int Order { get; init; } = 2;

    /// <summary>
    /// η, finite and at least 0: 0 (default) solves the ordinary differential equation, 1 the stochastic one, with fresh noise in every step (<c>algorithm_type</c>
    /// "sde-dpmsolver++" in diffusers).
    /// </summary>
    public double Eta { get; init; }

    /// <summary>
    /// Whether x̂₀ is extrapolated (DPM-Solver++, the default, which is stable with guidance) or ε̂ (DPM-Solver; deterministic only). <c>algorithm_type</c>
    /// "dpmsolver++" and "dpmsolver" in diffusers.
    /// </summary>
    public bool PredictX0 { get; init; } = true;

    /// <summary>The form of the second order; <see cref="DpmSolverType.Midpoint"/> by default. <c>solver_type</c> in diffusers.</summary>
    public DpmSolverType SolverType { get; init; } = DpmSolverType.Midpoint;

    /// <summary>
    /// Whether order 3 is that of the code of the method's authors, diffusers and k-diffusion, in which the term of the second derivative has half its weight: it is of
    /// second order only. With false (default) the term is whole and the order is 3. Set it to get the same images as they.
    /// </summary>
    public bool ReferenceThirdOrder { get; init; }

    /// <summary>
    /// Whether the order falls to 1 towards the end of a run; <see langword="null"/> (default) for runs of fewer than 15 steps, as <c>lower_order_final</c> = True
    /// in diffusers.
    /// </summary>
    public bool? LowerOrderFinal { get; init; }

    /// <summary>Whether the last step is of first order for any number of steps; false by default. It always is where the run ends without noise. <c>euler_at_final</c> in diffusers.</summary>
    public bool EulerAtFinal { get; init; }

    /// <summary>The standard deviation of the fresh noise, at least 0; 1 by default. k-diffusion's <c>s_noise</c>.</summary>
    public double NoiseScale { get; init; } = 1;

    /// <summary>
    /// Whether the weight of the second difference in the stochastic third order is less by α_t than it has to be, as in diffusers, which has −½ in place of +½ there; with
    /// <see cref="ReferenceThirdOrder"/>.
    /// </summary>
    internal bool OffsetThirdOrder { get; init; }

    /// <summary>Whether the run goes from an image to noise: steps to noisier levels solve the equation upwards instead of adding noise. Deterministic only.</summary>
    internal bool Ascends { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<OptionsError> Validate() =>
    [
        .. base.Validate(),
        .. OptionsValidation.Range(Order, nameof(Order), 1, 3),
        .. OptionsValidation.Range(Eta, nameof(Eta), 0),
        .. OptionsValidation.Defined(SolverType, nameof(SolverType)),
        .. OptionsValidation.Range(NoiseScale, nameof(NoiseScale), 0),
        .. !PredictX0 && Eta > 0
            ? [new OptionsError(nameof(PredictX0), FormattableString.Invariant($"must be true where Eta is above 0; it is false with Eta {Eta}."))]
            : Array.Empty<OptionsError>(),
    ];
}
