namespace Diffusion.Models;

/// <summary>
/// The levels of a diffusers scheduler: the same timesteps and σ, with its rounding, clipping and interpolation, which differ between the classes.
/// Each step ends at the next level of the list.
/// </summary>
internal sealed class SchedulerLevels(SchedulerConfig config, double? mu) : StepSpacing
{
    public override string Name => $"diffusers {config.ClassName}";

    public override IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule, int? steps)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var count = steps ?? throw new ArgumentException($"{config.ClassName} needs a number of steps.", nameof(steps));
        IReadOnlyList<NoiseLevel> levels = config.ClassName switch
        {
            "DDPMScheduler" => [.. Grid(count).Select(schedule.LevelAt), NoiseLevel.Clean],
            "DDIMScheduler" => [.. Grid(count).Select(schedule.LevelAt), Last(schedule, config.Flag("set_alpha_to_one", true))],
            "PNDMScheduler" => [.. Grid(count).Select(schedule.LevelAt), Last(schedule, config.Flag("set_alpha_to_one"))],
            "LCMScheduler" => [.. TimestepGrid.Distilled(config.Timesteps, count, config.Whole("original_inference_steps", 50)).Select(schedule.LevelAt), NoiseLevel.Clean],
            "DDIMInverseScheduler" => Inverse(schedule, count),
            "RePaintScheduler" => [.. TimestepGrid.Leading(config.Timesteps, count).Select(schedule.LevelAt), NoiseLevel.Clean],
            "EDMEulerScheduler" or "EDMDPMSolverMultistepScheduler" => Edm(schedule, count),
            "FlowMatchEulerDiscreteScheduler" => Flow(count),
            "DPMSolverMultistepScheduler" or "UniPCMultistepScheduler" => config.Flag("use_flow_sigmas") ? SolverFlow(count) : Solver(schedule, count),
            _ => Sigmas(schedule, count),
        };
        // A step between equal levels changes nothing.
        return levels.Count > 2 && levels[^1].Sigma == levels[^2].Sigma ? [.. levels.SkipLast(1)] : levels;
    }

    private static NoiseLevel Last(INoiseSchedule schedule, bool clean) => clean ? NoiseLevel.Clean : schedule.LevelAt(0);

    private TimestepGrid Grid(int count) => config.Spacing switch
    {
        "leading" => TimestepGrid.Leading(config.Timesteps, count, config.Offset),
        "trailing" => TimestepGrid.Trailing(config.Timesteps, count),
        "linspace" => TimestepGrid.Linspace(config.Timesteps, count),
        var other => throw config.Unknown("timestep_spacing", other, "leading, linspace, trailing"),
    };

    private NoiseLevel[] Inverse(INoiseSchedule schedule, int count)
    {
        // Towards noise: each step begins one stride below its timestep, the first at the clean image or at the schedule's first level. The network is conditioned on the
        // timestep at which the step ends.
        var stride = config.Timesteps / count;
        var targets = config.Spacing == "trailing" ? TimestepGrid.Trailing(config.Timesteps, count) : TimestepGrid.Leading(config.Timesteps, count, config.Offset);
        var first = targets[^1] - stride;
        NoiseLevel[] levels = [first < 0 ? Last(schedule, config.Flag("set_alpha_to_one", true)) : schedule.LevelAt(first), .. targets.Reverse().Select(schedule.LevelAt)];
        return [.. levels.Zip(levels.Skip(1), (from, to) => new NoiseLevel(from.Alpha, from.Sigma, to.Timestep)), levels[^1]];
    }

    private IReadOnlyList<NoiseLevel> Edm(INoiseSchedule schedule, int count)
    {
        var (min, max) = (config.Number("sigma_min", 0.002), config.Number("sigma_max", 80));
        var spacing = config.Text("sigma_schedule", "karras") switch
        {
            "karras" => Karras(config.Number("rho", 7), min, max),
            "exponential" => PolyExponential(1, min, max),
            var other => throw config.Unknown("sigma_schedule", other, "karras, exponential"),
        };
        return (config.EndsClean ? spacing : spacing.EndingAtSigmaMin()).Levels(schedule, count);
    }

    /// <summary>The solvers of exponential integrators: whole timesteps, or a ramp in σ whose timesteps are rounded.</summary>
    private NoiseLevel[] Solver(INoiseSchedule schedule, int count)
    {
        var final = Last(schedule, config.EndsClean);
        if (Ramp(schedule.LevelAt(0).Ratio, schedule.LevelAt(schedule.Timesteps - 1).Ratio) is { } ramp)
        {
            // Karras's and Lu's timesteps are rounded, the others cut off.
            var cut = !config.Flag("use_karras_sigmas") && !config.Flag("use_lu_lambdas");
            return
            [
                .. ramp.Levels(schedule, count).SkipLast(1)
                    .Select(level => new NoiseLevel(level.Alpha, level.Sigma, cut ? Math.Floor(level.Timestep) : Math.Round(level.Timestep))),
                final,
            ];
        }

        var end = config.Timesteps;
        var clip = config.NumberOrInfinity("lambda_min_clipped") ?? double.NegativeInfinity;
        while (end > 1 && schedule.LevelAt(end - 1).HalfLogSnr < clip)
        {
            end--;
        }

        IEnumerable<int> timesteps = config.Spacing switch
        {
            "linspace" => Enumerable.Range(0, count).Select(i => (int)Math.Round((count - i) * ((end - 1.0) / count))),
            "leading" => Enumerable.Range(0, count).Select(i => ((count - i) * (end / (count + 1))) + config.Offset),
            "trailing" => Enumerable.Range(0, count).Select(i => (int)Math.Round(end - (i * ((double)config.Timesteps / count))) - 1),
            var other => throw config.Unknown("timestep_spacing", other, "leading, linspace, trailing"),
        };
        // With about as many steps as timesteps some coincide after rounding.
        return [.. timesteps.Distinct().Select(schedule.LevelAt), final];
    }

    /// <summary>The solvers in σ: fractional timesteps, σ interpolated linearly between whole ones.</summary>
    private NoiseLevel[] Sigmas(INoiseSchedule schedule, int count)
    {
        var final = Last(schedule, config.EndsClean);
        if (config.Text("interpolation_type", "linear") == "log_linear")
        {
            // One σ more than steps, down to the smallest: the clean image is never reached.
            var labels = Fractional(count);
            return [.. PolyExponential().Levels(schedule, count + 1).SkipLast(1).Select((level, i) => i < labels.Length ? new NoiseLevel(level.Alpha, level.Sigma, labels[i]) : level)];
        }

        NoiseLevel[] levels = [.. Fractional(count).Select(t => Interpolated(schedule, t))];
        var visited = Ramp(levels[^1].Ratio, levels[0].Ratio) is { } ramp ? ramp.Levels(schedule, count).SkipLast(1) : levels;
        return [.. visited, final];
    }

    private double[] Fractional(int count) => config.Spacing switch
    {
        "linspace" => [.. Enumerable.Range(0, count).Select(i => count == 1 ? 0 : (config.Timesteps - 1) * (1 - ((double)i / (count - 1))))],
        "leading" => [.. TimestepGrid.Leading(config.Timesteps, count).Select(t => (double)t + config.Offset)],
        "trailing" => [.. TimestepGrid.Trailing(config.Timesteps, count).Select(t => (double)t)],
        var other => throw config.Unknown("timestep_spacing", other, "leading, linspace, trailing"),
    };

    private static NoiseLevel Interpolated(INoiseSchedule schedule, double timestep)
    {
        var below = (int)timestep;
        var share = timestep - below;
        return share == 0
            ? schedule.LevelAt(below)
            : NoiseLevel.FromRatio((schedule.LevelAt(below).Ratio * (1 - share)) + (schedule.LevelAt(below + 1).Ratio * share), 1, timestep);
    }

    private StepSpacing? Ramp(double min, double max)
    {
        min = config.OptionalNumber("sigma_min") ?? min;
        max = config.OptionalNumber("sigma_max") ?? max;
        return config.Flag("use_karras_sigmas") ? Karras(7, min, max)
            : config.Flag("use_exponential_sigmas") || config.Flag("use_lu_lambdas") ? PolyExponential(1, min, max)
            : config.Flag("use_beta_sigmas") ? new BetaSpacing(min, max)
            : null;
    }

    private NoiseLevel[] SolverFlow(int count)
    {
        var shift = config.Number("flow_shift", 1);
        double[] sigmas = [.. Enumerable.Range(0, count).Select(i => 1 - (i * (1 - (1.0 / config.Timesteps)) / count)).Select(u => shift * u / (1 + ((shift - 1) * u)))];
        return [.. sigmas.Select(FlowLevel), config.EndsClean ? NoiseLevel.Clean : FlowLevel(sigmas[^1])];
    }

    private NoiseLevel[] Flow(int count)
    {
        var dynamic = config.Flag("use_dynamic_shifting");
        var shift = config.Number("shift", 1);
        double Shifted(double u) => dynamic ? Dynamic(u) : shift * u / (1 + ((shift - 1) * u));

        // The shift is applied to the ends of the range, and then to everything between them again, as in diffusers.
        var (max, min) = dynamic ? (1.0, 1.0 / config.Timesteps) : (1.0, Shifted(1.0 / config.Timesteps));
        double[] sigmas = [.. Enumerable.Range(0, count).Select(i => Shifted(count == 1 ? max : max + ((min - max) * i / (count - 1))))];
        if (config.OptionalNumber("shift_terminal") is { } terminal && terminal != 0)
        {
            var scale = (1 - sigmas[^1]) / (1 - terminal);
            sigmas = [.. sigmas.Select(sigma => 1 - ((1 - sigma) / scale))];
        }

        if (Ramp(sigmas[^1], sigmas[0]) is { } ramp)
        {
            // The ramp is in σ itself, as if α were 1.
            sigmas = [.. ramp.Levels(new SigmaNoiseSchedule([sigmas[^1], sigmas[0]]), count).SkipLast(1).Select(level => level.Sigma)];
        }

        return [.. sigmas.Select(FlowLevel), NoiseLevel.Clean];
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

    private NoiseLevel FlowLevel(double sigma) => new(1 - sigma, sigma, sigma * config.Timesteps);
}
