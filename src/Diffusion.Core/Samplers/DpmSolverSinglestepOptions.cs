namespace Diffusion;

/// <summary>Options of <see cref="DpmSolverSinglestepSampler"/>.</summary>
public sealed record DpmSolverSinglestepOptions : SamplerOptions
{
    /// <summary>η, at least 0: 0 (default) is deterministic, 1 as stochastic as ancestral sampling.</summary>
    public double Eta { get; init; }

    /// <summary>r, in (0, 1]: the position of the inner point in λ; ½ by default.</summary>
    public double Ratio { get; init; } = 0.5;

    /// <summary>Whether noise is also added at the inner point (k-diffusion's <c>sample_dpmpp_sde</c>) or only at the end of the step (default; <c>sample_dpmpp_2s_ancestral</c>).</summary>
    public bool NoiseInside { get; init; }

    /// <summary>The standard deviation of the fresh noise, at least 0; 1 by default. k-diffusion's <c>s_noise</c>.</summary>
    public double NoiseScale { get; init; } = 1;

    /// <inheritdoc/>
    public override IEnumerable<OptionsError> Validate() =>
    [
        .. base.Validate(),
        .. EtaErrors(Eta),
        .. Ratio is > 0 and <= 1 ? [] : new[] { new OptionsError(nameof(Ratio), FormattableString.Invariant($"must be in (0, 1]; it is {Ratio}.")) },
        .. OptionsValidation.Range(NoiseScale, nameof(NoiseScale), 0),
    ];
}
