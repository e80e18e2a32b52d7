using Diffusion.Configuration;

namespace Diffusion.Sample;

/// <summary>What the command line says of a network that does not say it itself.</summary>
/// <param name="Schedule">The noise schedule.</param>
/// <param name="Prediction">What the network predicts.</param>
/// <param name="Variant">Which weights of a folder.</param>
/// <param name="Network">The config.json of weights that have none beside them.</param>
/// <param name="NullLabel">The label that stands for no class.</param>
/// <param name="IgnoredKeys">Keys of a scheduler_config.json to pass over.</param>
internal sealed record SourceArguments(string? Schedule, string? Prediction, string? Variant, string? Network, long? NullLabel, IReadOnlyCollection<string> IgnoredKeys)
{
    /// <summary>Nothing is said.</summary>
    public static SourceArguments None { get; } = new(null, null, null, null, null, []);

    /// <summary>Refuses what only networks of other tools need.</summary>
    /// <exception cref="UsageException">Something of it is given.</exception>
    public void ThrowIfOfOtherTools(string reason) =>
        UsageException.IfUnused(reason, ("--variant", Variant is not null), ("--network", Network is not null), ("--null-label", NullLabel is not null), ("--ignore-key", IgnoredKeys.Count > 0));

    /// <summary>A configuration's schedule and prediction with what the command line says instead.</summary>
    /// <exception cref="UsageException">There is no such prediction.</exception>
    public DiffusionOptions Over(DiffusionOptions options)
    {
        // The configuration's betas go with its own schedule.
        var scheduled = Schedule is { } schedule ? options with { Schedule = schedule, BetaStart = null, BetaEnd = null } : options;
        return CreatePrediction() is { } prediction ? scheduled with { Prediction = prediction.Name } : scheduled;
    }

    /// <summary>The noise schedule that is asked for; <see langword="null"/> where none is.</summary>
    /// <exception cref="UsageException">There is no such schedule.</exception>
    public INoiseSchedule? CreateSchedule(int timesteps)
    {
        if (Schedule is null)
        {
            return null;
        }

        var name = NoiseSchedule.Names.FirstOrDefault(each => each.Equals(Schedule, StringComparison.OrdinalIgnoreCase))
            ?? throw new UsageException($"--schedule must be one of {string.Join(", ", NoiseSchedule.Names)}; it is '{Schedule}'.");
        return UsageException.Unless(() => NoiseSchedule.Create(name, timesteps));
    }

    /// <summary>The prediction that is asked for; <see langword="null"/> where none is.</summary>
    /// <exception cref="UsageException">There is no such prediction.</exception>
    public Parameterization? CreatePrediction() => Prediction is null ? null
        : Parameterization.All.FirstOrDefault(each => each.Name.Equals(Prediction, StringComparison.OrdinalIgnoreCase))
            ?? throw new UsageException($"--prediction must be one of {string.Join(", ", Parameterization.All)}; it is '{Prediction}'.");
}
