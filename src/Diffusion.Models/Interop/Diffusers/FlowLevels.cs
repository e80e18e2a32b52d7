namespace Diffusion.Models;

/// <summary>The levels of diffusers schedulers on a rectified flow, α = 1 − σ: σ evenly spaced, then shifted towards noise.</summary>
/// <param name="config">The configuration.</param>
/// <param name="mu">The shift for the size of the image, for dynamic shifting.</param>
internal sealed class FlowLevels(SchedulerConfig config, double? mu)
{
    // UniPC keeps this distance from pure noise, where λ is infinite.
    private const double Distance = 1e-6;

    /// <param name="count">The number of steps.</param>
    /// <param name="ramp">The spacing of σ that the configuration asks for between two σ, if any.</param>
    public IReadOnlyList<NoiseLevel> OfMatching(int count, Func<double, double, StepSpacing?> ramp)
    {
        var dynamic = config.Flag("use_dynamic_shifting");
        var shift = config.Number("shift", 1);
        double Shifted(double u) => dynamic ? Dynamic(u) : Shift(u, shift);

        // The shift is applied to the ends of the range, and then to everything between them again, as in diffusers.
        var (max, min) = dynamic ? (1.0, 1.0 / config.Timesteps) : (1.0, Shifted(1.0 / config.Timesteps));
        var sigmas = ToTerminal([.. Enumerable.Range(0, count).Select(i => Shifted(count == 1 ? max : max + ((min - max) * i / (count - 1))))]);
        if (count > 1 && ramp(sigmas[^1], sigmas[0]) is { } spacing)
        {
            // The ramp is in σ itself, as if α were 1.
            sigmas = Ramp(spacing, sigmas[^1], sigmas[0], count);
        }

        return [.. sigmas.Select(sigma => Level(sigma, sigma * config.Timesteps)), NoiseLevel.Clean];
    }

    /// <summary>Of the solvers with use_flow_sigmas, whose timesteps are cut off to whole ones.</summary>
    /// <param name="count">The number of steps.</param>
    /// <param name="ramp">The spacing of σ that the configuration asks for between two σ, if any.</param>
    public IReadOnlyList<NoiseLevel> OfSolver(int count, Func<double, double, StepSpacing?> ramp)
    {
        var sigmas = config.ClassName == "UniPCMultistepScheduler" ? OfUniPc(count, ramp) : OfOthers(count);
        NoiseLevel[] levels = [.. sigmas.Select(sigma => Level(sigma, Math.Floor(sigma * config.Timesteps)))];
        // DPMSolver ends at the smallest σ of its βs, though σ is that of a flow.
        NoiseLevel Last() => config.ClassName is "UniPCMultistepScheduler" or "DEISMultistepScheduler" or "SASolverScheduler" ? levels[^1] : Level(SchedulerTables.SmallestRatio(config), 0);
        return [.. levels, config.EndsClean ? NoiseLevel.Clean : Last()];
    }

    private static double Shift(double u, double shift) => shift * u / (1 + ((shift - 1) * u));

    private static NoiseLevel Level(double sigma, double timestep) => new(1 - sigma, sigma, timestep);

    private static double[] Ramp(StepSpacing spacing, double min, double max, int count) =>
        [.. spacing.Levels(new SigmaNoiseSchedule([min, max]), count).SkipLast(1).Select(level => level.Sigma)];

    private double[] OfUniPc(int count, Func<double, double, StepSpacing?> ramp)
    {
        if (config.Flag("use_karras_sigmas"))
        {
            var table = SchedulerTables.Table(config);
            var (min, max) = (table.LevelAt(0).Ratio, table.LevelAt(config.Timesteps - 1).Ratio);
            return [.. Ramp(ramp(min, max)!, min, max, count).Select(ratio => ratio / (1 + ratio))];
        }

        var dynamic = config.Flag("use_dynamic_shifting");
        var shift = config.Number("flow_shift", 1);
        var even = Enumerable.Range(0, count).Select(i => 1 - (i * (1 - (1.0 / config.Timesteps)) / count));
        var sigmas = ToTerminal([.. even.Select(u => dynamic ? Dynamic(u) : Shift(u, shift))]);
        sigmas[0] -= 1 - sigmas[0] < Distance ? Distance : 0;
        return sigmas;
    }

    private double[] OfOthers(int count)
    {
        var dynamic = config.Flag("use_dynamic_shifting") && mu is not null;
        var shift = config.Number("flow_shift", 1);
        var even = Enumerable.Range(0, count).Select(i => (count - i) * (1 - (1.0 / config.Timesteps)) / count);
        return [.. even.Select(u => dynamic ? Dynamic(u) : Shift(u, shift))];
    }

    private double[] ToTerminal(double[] sigmas)
    {
        if (sigmas.Length == 1 || config.OptionalNumber("shift_terminal") is not { } terminal || terminal == 0)
        {
            return sigmas;
        }

        var scale = (1 - sigmas[^1]) / (1 - terminal);
        return [.. sigmas.Select(sigma => 1 - ((1 - sigma) / scale))];
    }

    private double Dynamic(double u)
    {
        var shift = mu ?? throw new InvalidOperationException($"{config.ClassName} with use_dynamic_shifting needs Mu in the sampling options, which depends on the size of the image.");
        var odds = (1 / u) - 1;
        return config.Text("time_shift_type", "exponential") switch
        {
            "exponential" => Math.Exp(shift) / (Math.Exp(shift) + odds),
            "linear" => shift / (shift + odds),
            var other => throw config.Unknown("time_shift_type", other, "exponential, linear"),
        };
    }
}
