namespace Diffusion;

/// <summary>The samplers of this library by name, for configuration files and command lines. Each has the settings that go by its name elsewhere.</summary>
public static class SamplerCatalog
{
    private static readonly Dictionary<string, Func<int?, StepSpacing?, Sampler>> Makers = new(StringComparer.Ordinal)
    {
        ["ddpm"] = (steps, spacing) => new DdpmSampler(steps, spacing),
        ["ddim"] = (steps, spacing) => new DdimSampler(steps, 0, spacing),
        ["euler"] = (steps, spacing) => new EulerSampler(steps, spacing),
        ["euler-ancestral"] = (steps, spacing) => new EulerSampler(steps, spacing, eta: 1),
        ["heun"] = (steps, spacing) => new HeunSampler(steps, spacing),
        ["edm"] = (steps, spacing) => HeunSampler.Edm(steps, spacing),
        ["dpm2"] = (steps, spacing) => new Dpm2Sampler(steps, spacing),
        ["dpm2-ancestral"] = (steps, spacing) => new Dpm2Sampler(steps, spacing, eta: 1),
        ["lms"] = (steps, spacing) => new LmsSampler(steps, spacing),
        ["plms"] = (steps, spacing) => new PndmSampler(steps, spacing),
        ["pndm"] = (steps, spacing) => new PndmSampler(steps, spacing, rungeKutta: true),
        ["dpm++1"] = (steps, spacing) => new DpmSolverSampler(steps, spacing, new DpmSolverOptions { Order = 1 }),
        ["dpm++2m"] = (steps, spacing) => new DpmSolverSampler(steps, spacing),
        ["dpm++3m"] = (steps, spacing) => new DpmSolverSampler(steps, spacing, new DpmSolverOptions { Order = 3 }),
        ["dpm++2m-sde"] = (steps, spacing) => new DpmSolverSampler(steps, spacing, new DpmSolverOptions { Eta = 1 }),
        ["dpm++3m-sde"] = (steps, spacing) => new DpmSolverSampler(steps, spacing, new DpmSolverOptions { Order = 3, Heun = true, Eta = 1 }),
        ["dpm++2s"] = (steps, spacing) => new DpmSolverSinglestepSampler(steps, spacing),
        ["dpm++2s-ancestral"] = (steps, spacing) => new DpmSolverSinglestepSampler(steps, spacing, eta: 1),
        ["dpm++sde"] = (steps, spacing) => new DpmSolverSinglestepSampler(steps, spacing, eta: 1, noiseInside: true),
        ["unipc"] = (steps, spacing) => new UniPcSampler(steps, spacing),
        ["lcm"] = (steps, spacing) => new LcmSampler(steps, spacing),
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
