namespace Diffusion.Configuration;

/// <summary>The noise schedule and what the network predicts.</summary>
public sealed record DiffusionOptions : IValidatedOptions
{
    /// <summary>T, the number of training timesteps, at least 1; 1000 by default.</summary>
    public int Timesteps { get; init; } = 1000;

    /// <summary>The first β of the linear schedule, in (0, 1); <see langword="null"/> (default): 1e-4 scaled by 1000/T.</summary>
    public double? BetaStart { get; init; }

    /// <summary>The last β of the linear schedule, in (0, 1); <see langword="null"/> (default): 0.02 scaled by 1000/T.</summary>
    public double? BetaEnd { get; init; }

    /// <summary>What the network predicts: <c>epsilon</c> (default), <c>image</c> or <c>velocity</c>.</summary>
    public string Prediction { get; init; } = Parameterization.Epsilon.Name;

    /// <summary>The schedule.</summary>
    /// <returns>A linear schedule.</returns>
    public INoiseSchedule CreateSchedule() =>
        BetaStart is { } start && BetaEnd is { } end ? new LinearNoiseSchedule(Timesteps, start, end) : new LinearNoiseSchedule(Timesteps);

    /// <summary>What the network predicts.</summary>
    /// <returns>The parameterization of that name.</returns>
    public Parameterization CreateParameterization() => Parameterization.All.First(each => each.Name.Equals(Prediction, StringComparison.OrdinalIgnoreCase));

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        var scaled = BetaStart is null && BetaEnd is null;
        foreach (var error in OptionsValidation.Range(Timesteps, nameof(Timesteps), scaled ? 21 : 1))
        {
            yield return error;
        }

        if (BetaStart is null != BetaEnd is null)
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

        if (!Parameterization.All.Any(each => each.Name.Equals(Prediction, StringComparison.OrdinalIgnoreCase)))
        {
            yield return new OptionsError(nameof(Prediction), $"must be one of {string.Join(", ", Parameterization.All)}; it is '{Prediction}'.");
        }
    }

    private static string Text(double? value) => value?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "absent";
}
