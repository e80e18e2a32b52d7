using System.Globalization;

namespace Diffusion.Configuration;

/// <summary>The noise schedule and what the network predicts.</summary>
public sealed record DiffusionOptions : IValidatedOptions
{
    private const string Linear = "linear";
    private const int MinScaledTimesteps = 21;

    // Schedules keep some numbers for each: a file of a few bytes must not take all memory.
    private const int MaxTimesteps = 100_000;

    /// <summary>The name of the noise schedule, one of <see cref="NoiseSchedule.Names"/>; <c>linear</c> by default.</summary>
    public string Schedule { get; init; } = Linear;

    /// <summary>T, the number of training timesteps, in [1, 100000], and at least 21 for the linear schedule without a β of its own; 1000 by default.</summary>
    public int Timesteps { get; init; } = 1000;

    /// <summary>The first β of the linear schedule, in (0, 1); <see langword="null"/> (default): 1e-4 scaled by 1000/T. For no other schedule.</summary>
    public double? BetaStart { get; init; }

    /// <summary>The last β of the linear schedule, in (0, 1); <see langword="null"/> (default): 0.02 scaled by 1000/T. For no other schedule.</summary>
    public double? BetaEnd { get; init; }

    /// <summary>What the network predicts, by the name of one of <see cref="Parameterization.All"/>; <c>epsilon</c> by default.</summary>
    public string Prediction { get; init; } = Parameterization.Epsilon.Name;

    private bool IsLinear => NamedChoice.Same(Schedule, Linear);

    /// <summary>The schedule.</summary>
    /// <returns>The schedule of that name, for T timesteps.</returns>
    public INoiseSchedule CreateSchedule() => IsLinear && BetaStart is { } start && BetaEnd is { } end
        ? new LinearNoiseSchedule(Timesteps, start, end)
        : NoiseSchedule.Create(NamedChoice.Find(Schedule, NoiseSchedule.Names) ?? Schedule, Timesteps);

    /// <summary>What the network predicts.</summary>
    /// <returns>The parameterization of that name.</returns>
    public Parameterization CreateParameterization() => Parameterization.All.First(each => NamedChoice.Same(each.Name, Prediction));

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        List<OptionsError> errors =
        [
            .. NamedChoice.Errors(Schedule, nameof(Schedule), NoiseSchedule.Names),
            .. OptionsValidation.Range(Timesteps, nameof(Timesteps), IsLinear && BetaStart is null && BetaEnd is null ? MinScaledTimesteps : 1, MaxTimesteps),
            .. BetaErrors(),
            .. NamedChoice.Errors(Prediction, nameof(Prediction), Parameterization.All.Select(each => each.Name)),
        ];
        return errors.Count > 0 ? errors : TogetherErrors();
    }

    private IEnumerable<OptionsError> BetaErrors()
    {
        if (!IsLinear && (BetaStart is not null || BetaEnd is not null))
        {
            yield return new OptionsError(nameof(BetaStart), $"and {nameof(BetaEnd)} are for the schedule {Linear}; they are {Text(BetaStart)} and {Text(BetaEnd)} for '{Schedule}'.");
        }
        else if (BetaStart is null != BetaEnd is null)
        {
            yield return new OptionsError(nameof(BetaStart), $"goes with {nameof(BetaEnd)}: give both or neither; they are {Text(BetaStart)} and {Text(BetaEnd)}.");
        }

        foreach (var (name, value) in new[] { (nameof(BetaStart), BetaStart), (nameof(BetaEnd), BetaEnd) })
        {
            if (value is { } beta && !(beta > 0 && beta < 1))
            {
                yield return new OptionsError(name, $"must be in (0, 1); it is {Text(value)}.");
            }
        }
    }

    /// <summary>What only shows when the schedule is made.</summary>
    private IEnumerable<OptionsError> TogetherErrors()
    {
        try
        {
            var last = CreateSchedule().LevelAt(Timesteps - 1);
            return last.Alpha == 0 && CreateParameterization() == Parameterization.Epsilon
                ? [new OptionsError(nameof(Prediction), $"'{Prediction}' says nothing about the image at the last timestep of the schedule '{Schedule}', which is pure noise; choose another, such as velocity.")]
                : [];
        }
        catch (ArgumentException e)
        {
            return [new OptionsError(nameof(Schedule), $"'{Schedule}' with {Timesteps} timesteps cannot be made: {e.Message.ReplaceLineEndings(" ")}")];
        }
    }

    private static string Text(double? value) => value?.ToString(CultureInfo.InvariantCulture) ?? "absent";
}
