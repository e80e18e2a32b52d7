namespace Diffusion;

/// <summary>The noise schedules of this library by name, for configuration files and command lines, with the parameters of their papers.</summary>
public static class ScheduleCatalog
{
    private static readonly Dictionary<string, Func<int, INoiseSchedule>> Makers = new(StringComparer.Ordinal)
    {
        ["linear"] = timesteps => new LinearNoiseSchedule(timesteps),
        ["scaled-linear"] = timesteps => new ScaledLinearNoiseSchedule(timesteps),
        ["cosine"] = timesteps => new CosineNoiseSchedule(timesteps),
        ["cosine-uncapped"] = timesteps => CosineNoiseSchedule.Uncapped(timesteps),
        ["sigmoid"] = timesteps => new SigmoidNoiseSchedule(timesteps),
        ["sigmoid-betas"] = timesteps => SigmoidNoiseSchedule.OfBetas(timesteps),
        ["laplace"] = timesteps => new LaplaceNoiseSchedule(timesteps),
        ["vp-sde"] = timesteps => new VpSdeNoiseSchedule(timesteps),
        ["linear-zero-snr"] = timesteps => new ZeroTerminalSnrSchedule(new LinearNoiseSchedule(timesteps)),
        ["scaled-linear-zero-snr"] = timesteps => new ZeroTerminalSnrSchedule(new ScaledLinearNoiseSchedule(timesteps)),
        ["karras"] = timesteps => SigmaNoiseSchedule.Karras(timesteps),
        ["exponential"] = timesteps => SigmaNoiseSchedule.Exponential(timesteps),
        ["polyexponential"] = timesteps => SigmaNoiseSchedule.PolyExponential(timesteps),
        ["flow"] = timesteps => new RectifiedFlowNoiseSchedule(timesteps),
        ["flow-shift-3"] = timesteps => new RectifiedFlowNoiseSchedule(timesteps, 3),
    };

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Makers.Keys];

    /// <summary>Makes a schedule.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="timesteps">T; 1000 by default.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentException">There is no such schedule; the message lists those that there are.</exception>
    public static INoiseSchedule Create(string name, int timesteps = 1000)
    {
        ArgumentNullException.ThrowIfNull(name);
        return Makers.TryGetValue(name, out var make)
            ? make(timesteps)
            : throw new ArgumentException($"There is no schedule \"{name}\"; there are {string.Join(", ", Names)}.", nameof(name));
    }
}
