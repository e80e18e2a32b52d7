namespace Diffusion.Models;

/// <summary>
/// The levels of a diffusers scheduler: the same timesteps and σ, with its rounding, clipping and interpolation, which differ between the classes.
/// Each step ends at the next level of the list.
/// </summary>
internal sealed class SchedulerLevels(SchedulerConfig config, double? mu) : StepSpacing
{
    private const double SameRatio = 1e-9;

    public override string Name => $"diffusers {config.ClassName}";

    public override IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule, int? steps)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var count = steps ?? throw new ArgumentException($"{config.ClassName} needs a number of steps.", nameof(steps));
        return config.ClassName switch
        {
            "DDPMScheduler" or "DDPMParallelScheduler" => [.. Grid(count).Select(schedule.LevelAt), NoiseLevel.Clean],
            "UnCLIPScheduler" => [.. TimestepGrid.Linspace(config.Timesteps, count).Select(schedule.LevelAt), NoiseLevel.Clean],
            "DDIMScheduler" or "DDIMParallelScheduler" => Strided(schedule, count, config.Flag("set_alpha_to_one", true)),
            "PNDMScheduler" => Strided(schedule, count, config.Flag("set_alpha_to_one")),
            "LCMScheduler" => [.. TimestepGrid.Distilled(config.Timesteps, count, config.Whole("original_inference_steps", 50)).Select(schedule.LevelAt), NoiseLevel.Clean],
            "DDIMInverseScheduler" => Inverse(schedule, count),
            _ when config.IsEdm => Edm(schedule, count),
            _ when config.IsFlowMatch => new FlowLevels(config, mu).OfMatching(count, Ramp),
            "DPMSolverMultistepInverseScheduler" => InverseLevels.Of(config, schedule, count, Ramp),
            "DPMSolverMultistepScheduler" or "DPMSolverSinglestepScheduler" or "DEISMultistepScheduler" or "SASolverScheduler" or "UniPCMultistepScheduler" =>
                config.Flag("use_flow_sigmas") ? new FlowLevels(config, mu).OfSolver(count, Ramp) : Solver(schedule, count),
            "IPNDMScheduler" => [.. Enumerable.Range(0, count).Select(i => SineSquareSchedule.At(1 - ((double)i / count))), NoiseLevel.Clean],
            "ScoreSdeVeScheduler" => Score(schedule, count),
            _ when config.IsContinuous => [.. Sigmas(schedule, count).Select(LogSigmaSchedule.OfSigma)],
            _ => Sigmas(schedule, count),
        };
    }

    private static NoiseLevel Last(INoiseSchedule schedule, bool clean) => clean ? NoiseLevel.Clean : schedule.LevelAt(0);

    private TimestepGrid Grid(int count) => config.Spacing switch
    {
        "leading" => LeadingGrid(count),
        "trailing" => TimestepGrid.Trailing(config.Timesteps, count),
        "linspace" => TimestepGrid.Linspace(config.Timesteps, count),
        var other => throw config.Unknown("timestep_spacing", other, "leading, linspace, trailing"),
    };

    /// <summary>The table is looked up at whole timesteps, so that an offset must leave all of them in it.</summary>
    private TimestepGrid LeadingGrid(int count) =>
        count >= 1 && count <= config.Timesteps && ((count - 1) * (config.Timesteps / count)) + config.Offset is var noisiest && noisiest >= config.Timesteps
            ? throw new ArgumentException(
                $"{config.ClassName}: \"steps_offset\" is {config.Offset}, with which {count} steps begin at timestep {noisiest}; the last is {config.Timesteps - 1}. Take fewer steps or a smaller offset.", nameof(count))
            : TimestepGrid.Leading(config.Timesteps, count, config.Offset);

    /// <summary>The last step goes one stride down, T/steps, and to the end of the schedule only where there is no such timestep.</summary>
    private NoiseLevel[] Strided(INoiseSchedule schedule, int count, bool endsClean)
    {
        var grid = Grid(count);
        var last = grid[^1] - (config.Timesteps / count);
        return [.. grid.Select(schedule.LevelAt), last < 0 ? Last(schedule, endsClean) : schedule.LevelAt(last)];
    }

    private NoiseLevel[] Inverse(INoiseSchedule schedule, int count)
    {
        // Towards noise: each step begins one stride below its timestep, the first at the clean image or at the schedule's first level. The network is conditioned on the
        // timestep at which the step ends.
        var stride = config.Timesteps / count;
        var targets = config.Spacing == "trailing" ? TimestepGrid.Trailing(config.Timesteps, count) : LeadingGrid(count);
        var first = targets[^1] - stride;
        NoiseLevel[] levels = [first < 0 ? Last(schedule, config.BeginsClean) : schedule.LevelAt(first), .. targets.Reverse().Select(schedule.LevelAt)];
        return [.. levels.Zip(levels.Skip(1), (from, to) => new NoiseLevel(from.Alpha, from.Sigma, to.Timestep)), levels[^1]];
    }

    private IReadOnlyList<NoiseLevel> Edm(INoiseSchedule schedule, int count)
    {
        var (min, max, _) = config.EdmSigmas;
        var spacing = config.IsKarras ? Karras(config.Number("rho", 7), min, max) : PolyExponential(1, min, max);
        var visited = spacing.Levels(schedule, count);
        return config.EndsClean ? visited : [.. visited.SkipLast(1), visited[^2]];
    }

    /// <summary>Where a run ends: clean, or at the schedule's first level, which is also that of a ramp that ends there but for rounding.</summary>
    private NoiseLevel Final(INoiseSchedule schedule, NoiseLevel before)
    {
        var final = Last(schedule, config.EndsClean);
        return Math.Abs((before.Ratio / final.Ratio) - 1) < SameRatio ? before : final;
    }

    /// <summary>σ evenly in its logarithm. The network's is that of a time that ends a little above 0.</summary>
    private NoiseLevel[] Score(INoiseSchedule schedule, int count)
    {
        var (min, max, end) = (config.Number("sigma_min", 0.01), config.Number("sigma_max", 1348), config.Number("sampling_eps", 1e-5));
        double Label(int i) => min * Math.Pow(max / min, count == 1 ? 1 : 1 - (i * (1 - end) / (count - 1)));
        return [.. PolyExponential(1, min, max).Levels(schedule, count).SkipLast(1).Select((level, i) => new NoiseLevel(level.Alpha, level.Sigma, Label(i))), NoiseLevel.Clean];
    }

    /// <summary>The solvers of exponential integrators: whole timesteps, or a ramp in σ whose timesteps are rounded.</summary>
    private NoiseLevel[] Solver(INoiseSchedule schedule, int count)
    {
        if (Ramp(schedule.LevelAt(0).Ratio, schedule.LevelAt(schedule.Timesteps - 1).Ratio) is { } ramp)
        {
            NoiseLevel[] visited =
            [
                .. ramp.Levels(schedule, count).SkipLast(1)
                    .Select(level => new NoiseLevel(level.Alpha, level.Sigma, CutsTimesteps ? Math.Floor(level.Timestep) : Math.Round(level.Timestep))),
            ];
            return [.. visited, config is { ClassName: "UniPCMultistepScheduler" or "DEISMultistepScheduler" or "SASolverScheduler", EndsClean: false } ? visited[^1] : Final(schedule, visited[^1])];
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
            "trailing" => Enumerable.Range(0, count).Select(i => (int)Math.Round(end - (i * ((double)config.Timesteps / count))) - 1).TakeWhile(t => t >= 0), // clipped ones have fewer
            var other => throw config.Unknown("timestep_spacing", other, "leading, linspace, trailing"),
        };
        // With about as many steps as timesteps some coincide after rounding; the reference divides by their distance, 0.
        NoiseLevel[] levels = OffsetTable.Levels(config, schedule, [.. timesteps.Distinct()], count);
        return [.. levels, Final(schedule, levels[^1])];
    }

    /// <summary>Whether the timesteps of a ramp in σ are cut off: Karras's and Lu's are rounded, but not those of DPM-Solver for the cosine schedule.</summary>
    private bool CutsTimesteps => (!config.Flag("use_karras_sigmas") && !config.Flag("use_lu_lambdas"))
        || (config.ClassName == "DPMSolverMultistepScheduler" && config.Text("beta_schedule", "linear") == "squaredcos_cap_v2");

    /// <summary>The solvers in σ: fractional timesteps, σ interpolated linearly between whole ones.</summary>
    private NoiseLevel[] Sigmas(INoiseSchedule schedule, int count)
    {
        var logLinear = config.Text("interpolation_type", "linear") == "log_linear";
        var (smallest, largest) = (schedule.LevelAt(0).Ratio, schedule.LevelAt(schedule.Timesteps - 1).Ratio);
        if (logLinear && Ramp(smallest, largest) is null)
        {
            // One σ more than steps, down to the smallest: the clean image is never reached.
            var labels = Fractional(count);
            return [.. PolyExponential().Levels(schedule, count + 1).SkipLast(1).Select((level, i) => i < labels.Length ? new NoiseLevel(level.Alpha, level.Sigma, labels[i]) : level)];
        }

        var timesteps = Fractional(count);
        NoiseLevel[] levels = [.. timesteps.Select(t => Interpolated(schedule, t))];
        if (config.ClassName == "LMSDiscreteScheduler" && timesteps.Count(t => t >= schedule.Timesteps - 1) > 1)
        {
            throw OffsetTable.TwoAtTheLast(config, count, schedule.Timesteps - 1);
        }

        // A ramp has the ends of what was interpolated, and replaces it.
        var (min, max) = logLinear ? (smallest, largest) : (count == 1 ? smallest : levels[^1].Ratio, levels[0].Ratio);
        NoiseLevel[] visited = Ramp(min, max) is { } ramp ? [.. ramp.Levels(schedule, count).SkipLast(1)] : levels;
        var rounded = config.ClassName is "KDPM2DiscreteScheduler" or "KDPM2AncestralDiscreteScheduler" && config.Flag("use_karras_sigmas");
        return [.. visited.Select(level => rounded ? new NoiseLevel(level.Alpha, level.Sigma, Math.Round(level.Timestep)) : level), Final(schedule, visited[^1])];
    }

    private double[] Fractional(int count) => config.Spacing switch
    {
        "linspace" => [.. Enumerable.Range(0, count).Select(i => count == 1 ? config.Timesteps - 1 : (config.Timesteps - 1) * (1 - ((double)i / (count - 1))))], // one step begins at pure noise
        "leading" => [.. TimestepGrid.Leading(config.Timesteps, count).Select(t => (double)t + config.Offset)],
        "trailing" => [.. TimestepGrid.Trailing(config.Timesteps, count).Select(t => (double)t)],
        var other => throw config.Unknown("timestep_spacing", other, "leading, linspace, trailing"),
    };

    private static NoiseLevel Interpolated(INoiseSchedule schedule, double timestep)
    {
        if (timestep > schedule.Timesteps - 1)
        {
            return OffsetTable.At(schedule, timestep);
        }

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
}
