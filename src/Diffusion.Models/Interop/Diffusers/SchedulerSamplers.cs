namespace Diffusion.Models;

/// <summary>From a scheduler configuration to a sampler of this library.</summary>
internal static class SchedulerSamplers
{
    private static readonly Dictionary<string, Func<SchedulerConfig, int, StepSpacing, DiffusersSamplingOptions, Sampler>> Makers = new(StringComparer.Ordinal)
    {
        ["DDPMScheduler"] = (config, steps, levels, _) => new DdpmSampler(steps, new() { Spacing = levels, Variance = Variance(config), NoiseAtEnd = config.NoiseAtEnd }),
        ["DDPMParallelScheduler"] = (config, steps, levels, _) => new DdpmSampler(steps, new() { Spacing = levels, Variance = Variance(config), NoiseAtEnd = config.NoiseAtEnd }),
        ["UnCLIPScheduler"] = (config, steps, levels, _) => new DdpmSampler(steps, new() { Spacing = levels, Variance = UnClipVariance(config) }),
        ["DDIMScheduler"] = Ddim,
        ["DDIMParallelScheduler"] = Ddim,
        ["DDIMInverseScheduler"] = (_, steps, levels, _) => new DdimInverter(steps, new() { Spacing = levels }),
        ["PNDMScheduler"] = (config, steps, levels, _) => new PndmSampler(
            steps, new() { Spacing = levels, RungeKutta = !config.Flag("skip_prk_steps"), Combined = DiffusersScheduler.ReadParameterization(config) }),
        ["LCMScheduler"] = (config, steps, levels, _) => new LcmSampler(steps, new() { Spacing = levels, TimestepScaling = config.Number("timestep_scaling", 10) }),
        ["EulerDiscreteScheduler"] = (_, steps, levels, options) => new EulerSampler(steps, new() { Spacing = levels, Churn = options.Churn }),
        ["EulerAncestralDiscreteScheduler"] = (_, steps, levels, _) => new EulerSampler(steps, new() { Spacing = levels, Eta = 1 }),
        ["EDMEulerScheduler"] = (_, steps, levels, options) => new EulerSampler(steps, new() { Spacing = levels, Churn = options.Churn }),
        ["FlowMatchEulerDiscreteScheduler"] = (config, steps, levels, _) =>
            new EulerSampler(steps, new() { Spacing = levels, Eta = config.Flag("stochastic_sampling") ? double.PositiveInfinity : 0 }),
        ["FlowMatchLCMScheduler"] = (_, steps, levels, _) => new EulerSampler(steps, new() { Spacing = levels, Eta = double.PositiveInfinity }),
        ["FlowMatchHeunDiscreteScheduler"] = (config, steps, levels, options) => options.Churn.Amount == 0
            ? new HeunSampler(steps, new() { Spacing = levels })
            : throw new ArgumentException($"{config.ClassName}: churn is noise for x/α, which is not what this class adds; use none.", nameof(options)),
        ["HeunDiscreteScheduler"] = (_, steps, levels, _) => new HeunSampler(steps, new() { Spacing = levels, Unscaled = true }),
        ["KDPM2DiscreteScheduler"] = (_, steps, levels, _) => new Dpm2Sampler(steps, new() { Spacing = levels, Unscaled = true }),
        ["KDPM2AncestralDiscreteScheduler"] = (_, steps, levels, _) => new Dpm2Sampler(steps, new() { Spacing = levels, Unscaled = true, Eta = 1 }),
        ["DPMSolverSDEScheduler"] = (_, steps, levels, options) =>
            new DpmSolverSinglestepSampler(steps, new() { Spacing = levels, Eta = 1, NoiseInside = true, NoiseScale = options.Churn.NoiseScale }),
        ["LMSDiscreteScheduler"] = (_, steps, levels, options) => new LmsSampler(steps, new() { Spacing = levels, Order = options.Order ?? LmsOptions.MaxOrder }),
        ["IPNDMScheduler"] = (_, steps, levels, _) => new IpndmSampler(steps, new() { Spacing = levels }),
        ["ScoreSdeVeScheduler"] = (config, steps, levels, _) =>
            new PredictorCorrectorSampler(steps, new() { Spacing = levels }, config.Whole("correct_steps", 1), config.Number("snr", 0.15)),
        ["DEISMultistepScheduler"] = (config, steps, levels, _) =>
            new DeisSampler(steps, new() { Spacing = levels }, config.Whole("solver_order", 2), config.Flag("lower_order_final", true)),
        ["DPMSolverMultistepScheduler"] = (config, steps, levels, _) => new DpmSolverSampler(steps, Solver(config, levels)),
        ["EDMDPMSolverMultistepScheduler"] = (config, steps, levels, _) => new DpmSolverSampler(steps, Solver(config, levels)),
        ["DPMSolverMultistepInverseScheduler"] = (config, steps, levels, _) => new DpmSolverSampler(steps, Inverse(config, levels)),
        ["DPMSolverSinglestepScheduler"] = (config, steps, levels, _) =>
            new DpmSolverBlockSampler(steps, Solver(config, levels) with { LowerOrderFinal = config.Flag("lower_order_final"), EulerAtFinal = false }),
        ["CosineDPMSolverMultistepScheduler"] = (config, steps, levels, _) => new DpmSolverSampler(steps, Solver(config, levels) with { Eta = 1, PredictX0 = true }),
        ["SASolverScheduler"] = SaSolver,
        ["UniPCMultistepScheduler"] = (config, steps, levels, _) => new UniPcSampler(steps, UniPc(config, levels)),
    };

    public static IReadOnlyList<string> ClassNames => [.. Makers.Keys];

    /// <summary>A value that changes the result and is not supported is an error.</summary>
    public static void ThrowUnlessKnown(SchedulerConfig config)
    {
        if (config.Flag("invert_sigmas"))
        {
            throw config.Unknown("invert_sigmas", "true", "false");
        }

        if (config.Has("solver_p"))
        {
            throw config.Unknown("solver_p", "a scheduler", "null");
        }

        if (config.Has("scale_factors"))
        {
            throw config.Unknown("scale_factors", "a list", "null: images of one size");
        }

        if (config.Has("tau_func"))
        {
            throw config.Unknown("tau_func", "a function", "null");
        }

        if (config.ClassName == "DEISMultistepScheduler" && config.Text("algorithm_type", "deis") is not ("deis" or "dpmsolver" or "dpmsolver++") and var algorithm)
        {
            throw config.Unknown("algorithm_type", algorithm, "deis, and dpmsolver and dpmsolver++, which are deis");
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
        var thresholds = config.ClassName is "DDPMScheduler" or "DDPMParallelScheduler" or "DDIMScheduler" or "DDIMParallelScheduler" or "LCMScheduler"
            or "DPMSolverMultistepScheduler" or "DPMSolverMultistepInverseScheduler" or "DPMSolverSinglestepScheduler" or "DEISMultistepScheduler" or "SASolverScheduler" or "EDMDPMSolverMultistepScheduler"
            || (config.ClassName == "UniPCMultistepScheduler" && config.Flag("predict_x0", true));
        if (thresholds && config.Flag("thresholding"))
        {
            return ImageLimit.Dynamic(config.Number("dynamic_thresholding_ratio", 0.995), config.Number("sample_max_value", 1));
        }

        var clips = config.ClassName switch
        {
            "DDPMScheduler" or "DDPMParallelScheduler" or "DDIMScheduler" or "DDIMParallelScheduler" or "DDIMInverseScheduler" or "UnCLIPScheduler" => config.Flag("clip_sample", true),
            "HeunDiscreteScheduler" or "LCMScheduler" => config.Flag("clip_sample"),
            _ => false,
        };
        return clips ? ImageLimit.Clip(config.Number("clip_sample_range", 1)) : ImageLimit.None;
    }

    private static DdimSampler Ddim(SchedulerConfig config, int steps, StepSpacing levels, DiffusersSamplingOptions options) =>
        new(steps, new() { Spacing = levels, Eta = options.Eta, RederiveNoise = options.UseClippedModelOutput, Stride = config.Timesteps / steps });

    private static ReverseVariance Variance(SchedulerConfig config) => (config.Has("variance_type") ? config.Text("variance_type", "fixed_small") : "fixed_small") switch
    {
        "fixed_small" or "fixed_small_log" => ReverseVariance.FixedSmall,
        "fixed_large" => ReverseVariance.FixedLarge,
        "learned_range" => ReverseVariance.LearnedRange,
        var other => throw config.Unknown("variance_type", other, "fixed_small, fixed_small_log, fixed_large, learned_range"),
    };

    /// <summary>UnCLIP has two of them.</summary>
    private static ReverseVariance UnClipVariance(SchedulerConfig config) => config.Text("variance_type", "fixed_small_log") switch
    {
        "fixed_small_log" => ReverseVariance.FixedSmall,
        "learned_range" => ReverseVariance.LearnedRange,
        var other => throw config.Unknown("variance_type", other, "fixed_small_log, learned_range"),
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
            OffsetThirdOrder = !config.IsEdm,
            Eta = type == "sde-dpmsolver++" ? 1 : 0,
            PredictX0 = type != "dpmsolver",
            LowerOrderFinal = config.Flag("lower_order_final", true) ? null : false,
            EulerAtFinal = config.Flag("euler_at_final"),
        };
    }

    private static DpmSolverOptions Inverse(SchedulerConfig config, StepSpacing levels)
    {
        var options = Solver(config, levels);
        if (options.Eta > 0)
        {
            throw config.Unknown("algorithm_type", "sde-dpmsolver++", "dpmsolver++, dpmsolver"); // fresh noise has no place on the way from the image to the noise
        }

        return config.Flag("use_flow_sigmas")
            ? throw config.Unknown("use_flow_sigmas", "true", "false: the levels of the class go down from the noise there")
            : options with { Ascends = true };
    }

    private static SaSolverSampler SaSolver(SchedulerConfig config, int steps, StepSpacing levels, DiffusersSamplingOptions options) => new(
        steps,
        new() { Spacing = levels },
        (config.Whole("predictor_order", 2), config.Whole("corrector_order", 2)),
        config.Text("algorithm_type", "data_prediction") switch
        {
            "data_prediction" => true,
            "noise_prediction" => false,
            var other => throw config.Unknown("algorithm_type", other, "data_prediction, noise_prediction"),
        },
        config.Flag("lower_order_final", true));

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
