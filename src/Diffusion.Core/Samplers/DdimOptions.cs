namespace Diffusion;

/// <summary>Options of <see cref="DdimSampler"/>.</summary>
public sealed record DdimOptions : SamplerOptions
{
    /// <summary>η, at least 0: the share of the noise that is replaced by fresh noise in a step, 0 (default) for deterministic sampling, 1 for ancestral sampling, infinity for all of it.</summary>
    public double Eta { get; init; }

    /// <summary>
    /// Where x̂₀ is limited: whether ε̂ is derived again from the limited x̂₀ (default) or stays as predicted. In diffusers <c>use_clipped_model_output</c>,
    /// <see langword="false"/> by default there.
    /// </summary>
    public bool RederiveNoise { get; init; } = true;

    /// <summary>
    /// Where set, a step from timestep t goes to t − Stride whatever the next level of the run is, or to the last level where there is no such timestep: diffusers' DDIM, whose
    /// stride is T/steps rounded down.
    /// </summary>
    internal int? Stride { get; init; }

    /// <inheritdoc/>
    public override IEnumerable<OptionsError> Validate() => [.. base.Validate(), .. EtaErrors(Eta)];
}
