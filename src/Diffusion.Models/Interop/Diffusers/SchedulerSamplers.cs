namespace Diffusion.Models;

/// <summary>From a scheduler configuration to a sampler of this library.</summary>
internal static class SchedulerSamplers
{
    private static readonly Dictionary<string, Func<SchedulerConfig, int, StepSpacing, DiffusersSamplingOptions, Sampler>> Makers = new(StringComparer.Ordinal)
    {
        ["DDPMScheduler"] = (config, steps, levels, _) => new DdpmSampler(steps, new() { Spacing = levels, Variance = Variance(config) }),
        ["DDIMScheduler"] = (_, steps, levels, options) =>
            new DdimSampler(steps, new() { Spacing = levels, Eta = options.Eta, RederiveNoise = options.UseClippedModelOutput }),
        ["DDIMInverseScheduler"] = (_, steps, levels, _) => new DdimInverter(steps, new() { Spacing = levels }),
        ["PNDMScheduler"] = (config, steps, levels, _) => new PndmSampler(
            steps, new() { Spacing = levels, RungeKutta = !config.Flag("skip_prk_steps"), Combined = DiffusersScheduler.ReadParameterization(config) }),
        ["LCMScheduler"] = (config, steps, levels, _) => new LcmSampler(steps, new() { Spacing = levels, TimestepScaling = config.Number("timestep_scaling", 10) }),
        ["EulerDiscreteScheduler"] = (_, steps, levels, options) => new EulerSampler(steps, new() { Spacing = levels, Churn = options.Churn }),
        ["EulerAncestralDiscreteScheduler"] = (_, steps, levels, _) => new EulerSampler(steps, new() { Spacing = levels, Eta = 1 }),
        ["EDMEulerScheduler"] = (_, steps, levels, options) => new EulerSampler(steps, new() { Spacing = levels, Churn = options.Churn }),
        ["FlowMatchEulerDiscreteScheduler"] = (config, steps, levels, _) =>
            new EulerSampler(steps, new() { Spacing = levels, Eta = config.Flag("stochastic_sampling") ? double.PositiveInfinity : 0 }),
        ["HeunDiscreteScheduler"] = (_, steps, levels, _) => new HeunSampler(steps, new() { Spacing = levels, Unscaled = true }),
        ["LMSDiscreteScheduler"] = (_, steps, levels, _) => new LmsSampler(steps, new() { Spacing = levels }),
        ["DPMSolverMultistepScheduler"] = (config, steps, levels, _) => new DpmSolverSampler(steps, Solver(config, levels)),
        ["EDMDPMSolverMultistepScheduler"] = (config, steps, levels, _) => new DpmSolverSampler(steps, Solver(config, levels)),
        ["UniPCMultistepScheduler"] = (config, steps, levels, _) => new UniPcSampler(steps, UniPc(config, levels)),
    };

    public static IReadOnlyList<string> ClassNames => [.. Makers.Keys];

    /// <summary>A value that changes the result and is not supported is an error.</summary>
    public static void ThrowUnlessKnown(SchedulerConfig config)
    {
        if (config.Text("timestep_type", "discrete") is not "discrete" and var type)
        {
            throw config.Unknown("timestep_type", type, "discrete");
        }

        if (config.Flag("invert_sigmas"))
        {
            throw config.Unknown("invert_sigmas", "true", "false");
        }

        if (config.Has("solver_p"))
        {
            throw config.Unknown("solver_p", "a scheduler", "null");
        }

        if (config.ClassName == "UniPCMultistepScheduler" && config.Has("shift_terminal") && config.Flag("use_flow_sigmas"))
        {
            throw config.Unknown("shift_terminal", "a number", "null together with use_flow_sigmas");
        }
    }

    /// <summary>A class that cannot be read is an error before its keys are looked at.</summary>
    public static void ThrowUnlessClass(string className)
    {
        if (!Makers.ContainsKey(className))
        {
            var what = SchedulerKeys.ClassNames.Contains(className) ? "is not supported" : "is not known";
            throw new InvalidDataException($"The scheduler class \"{className}\" {what}; this library reads {string.Join(", ", ClassNames)}.");
        }
    }

    public static Sampler Create(SchedulerConfig config, int steps, DiffusersSamplingOptions options) =>
        Makers[config.ClassName](config, steps, new SchedulerLevels(config, options.Mu), options);

    /// <summary>The limit on x̂₀, with the keys that the class reads: a key of another class in the file has no effect in diffusers.</summary>
    public static ImageLimit Limit(SchedulerConfig config)
    {
        var thresholds = config.ClassName is "DDPMScheduler" or "DDIMScheduler" or "LCMScheduler" or "DPMSolverMultistepScheduler" or "EDMDPMSolverMultistepScheduler"
            || (config.ClassName == "UniPCMultistepScheduler" && config.Flag("predict_x0", true));
        if (thresholds && config.Flag("thresholding"))
        {
            return ImageLimit.Dynamic(config.Number("dynamic_thresholding_ratio", 0.995), config.Number("sample_max_value", 1));
        }

        var clips = config.ClassName switch
        {
            "DDPMScheduler" or "DDIMScheduler" or "DDIMInverseScheduler" => config.Flag("clip_sample", true),
            "HeunDiscreteScheduler" or "LCMScheduler" => config.Flag("clip_sample"),
            _ => false,
        };
        return clips ? ImageLimit.Clip(config.Number("clip_sample_range", 1)) : ImageLimit.None;
    }

    private static ReverseVariance Variance(SchedulerConfig config) => (config.Has("variance_type") ? config.Text("variance_type", "fixed_small") : "fixed_small") switch
    {
        "fixed_small" or "fixed_small_log" => ReverseVariance.FixedSmall,
        "fixed_large" => ReverseVariance.FixedLarge,
        "learned_range" => ReverseVariance.LearnedRange,
        var other => throw config.Unknown("variance_type", other, "fixed_small, fixed_small_log, fixed_large, learned_range"),
    };

    private static DpmSolverOptions Solver(SchedulerConfig config, StepSpacing levels)
    {
        var type = config.Text("algorithm_type", "dpmsolver++");
        if (type is not ("dpmsolver++" or "dpmsolver" or "sde-dpmsolver++" or "deis"))
        {
            throw config.Unknown("algorithm_type", type, "dpmsolver++, dpmsolver, sde-dpmsolver++, and deis, which is dpmsolver++");
        }

        return new DpmSolverOptions
        {
            Spacing = levels,
            Order = config.Whole("solver_order", 2),
            SolverType = config.Text("solver_type", "midpoint") == "heun" ? DpmSolverType.Heun : DpmSolverType.Midpoint,
            ReferenceThirdOrder = true,
            Eta = type == "sde-dpmsolver++" ? 1 : 0,
            PredictX0 = type != "dpmsolver",
            LowerOrderFinal = config.Flag("lower_order_final", true) ? null : false,
            EulerAtFinal = config.Flag("euler_at_final"),
        };
    }

    private static UniPcOptions UniPc(SchedulerConfig config, StepSpacing levels) => new()
    {
        Spacing = levels,
        Order = config.Whole("solver_order", 2),
        SolverType = config.Text("solver_type", "bh2") == "bh1" ? UniPcSolverType.Bh1 : UniPcSolverType.Bh2,
        PredictX0 = config.Flag("predict_x0", true),
        DisableCorrector = [.. config.Wholes("disable_corrector") ?? []],
        LowerOrderFinal = config.Flag("lower_order_final", true),
    };
}
