namespace Diffusion;

/// <summary>The samplers of this library by name, for configuration files and command lines. Each has the settings usual for its name.</summary>
internal static class SamplerCatalog
{
    private static readonly Dictionary<string, Func<int?, StepSpacing?, Sampler>> Makers = new(StringComparer.Ordinal)
    {
        ["ddpm"] = (steps, spacing) => new DdpmSampler(steps, new() { Spacing = spacing }),
        ["ddim"] = (steps, spacing) => new DdimSampler(steps, new() { Spacing = spacing }),
        ["euler"] = (steps, spacing) => new EulerSampler(steps, new() { Spacing = spacing }),
        ["euler-ancestral"] = (steps, spacing) => new EulerSampler(steps, new() { Spacing = spacing, Eta = 1 }),
        ["heun"] = (steps, spacing) => new HeunSampler(steps, new() { Spacing = spacing }),
        ["edm"] = (steps, spacing) => new HeunSampler(steps, HeunOptions.Edm with { Spacing = spacing ?? HeunOptions.Edm.Spacing }),
        ["dpm2"] = (steps, spacing) => new Dpm2Sampler(steps, new() { Spacing = spacing }),
        ["dpm2-ancestral"] = (steps, spacing) => new Dpm2Sampler(steps, new() { Spacing = spacing, Eta = 1 }),
        ["lms"] = (steps, spacing) => new LmsSampler(steps, new() { Spacing = spacing }),
        ["plms"] = (steps, spacing) => new PndmSampler(steps, new() { Spacing = spacing }),
        ["pndm"] = (steps, spacing) => new PndmSampler(steps, new() { Spacing = spacing, RungeKutta = true }),
        ["dpm++1"] = (steps, spacing) => new DpmSolverSampler(steps, new() { Spacing = spacing, Order = 1 }),
        ["dpm++2m"] = (steps, spacing) => new DpmSolverSampler(steps, new() { Spacing = spacing }),
        ["dpm++3m"] = (steps, spacing) => new DpmSolverSampler(steps, new() { Spacing = spacing, Order = 3 }),
        ["dpm++2m-sde"] = (steps, spacing) => new DpmSolverSampler(steps, new() { Spacing = spacing, Eta = 1 }),
        ["dpm++3m-sde"] = (steps, spacing) => new DpmSolverSampler(steps, new() { Spacing = spacing, Order = 3, SolverType = DpmSolverType.Heun, Eta = 1 }),
        ["dpm++2s"] = (steps, spacing) => new DpmSolverSinglestepSampler(steps, new() { Spacing = spacing }),
        ["dpm++2s-ancestral"] = (steps, spacing) => new DpmSolverSinglestepSampler(steps, new() { Spacing = spacing, Eta = 1 }),
        ["dpm++sde"] = (steps, spacing) => new DpmSolverSinglestepSampler(steps, new() { Spacing = spacing, Eta = 1, NoiseInside = true }),
        ["unipc"] = (steps, spacing) => new UniPcSampler(steps, new() { Spacing = spacing }),
        ["lcm"] = (steps, spacing) => new LcmSampler(steps, new() { Spacing = spacing }),
    };

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Makers.Keys];

    /// <summary>Makes a sampler.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="steps">The number of steps; <see langword="null"/> for the sampler's own default, in general all timesteps.</param>
    /// <param name="spacing">Where they lie; <see langword="null"/> for the sampler's own default.</param>
    /// <returns>The sampler.</returns>
    /// <exception cref="ArgumentException">There is no such sampler; the message lists those that there are.</exception>
    public static Sampler Create(string name, int? steps = null, StepSpacing? spacing = null)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Makers.TryGetValue(name, out var make)
            ? make(steps, spacing)
            : throw new ArgumentException($"There is no sampler \"{name}\"; there are {string.Join(", ", Names)}.", nameof(name));
    }
}
