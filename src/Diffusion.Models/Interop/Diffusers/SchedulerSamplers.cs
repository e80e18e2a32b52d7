namespace Diffusion.Models;

/// <summary>From a scheduler configuration to a sampler of this library.</summary>
internal static class SchedulerSamplers
{
    private static readonly Dictionary<string, Func<SchedulerConfig, int, StepSpacing, DiffusersSamplingOptions, Sampler>> Makers = new(StringComparer.Ordinal)
    {
        ["DDPMScheduler"] = (config, steps, levels, _) => new DdpmSampler(steps, levels, Variance(config)),
        ["DDIMScheduler"] = (_, steps, levels, options) => new DdimSampler(steps, options.Eta, levels, rederiveNoise: options.UseLimitedOutput),
        ["DDIMInverseScheduler"] = (_, steps, levels, _) => new DdimInverter(steps, levels, atTarget: true),
        ["PNDMScheduler"] = (config, steps, levels, _) =>
            new PndmSampler(steps, levels, !config.Flag("skip_prk_steps"), DiffusersScheduler.ReadParameterization(config)),
        ["LCMScheduler"] = (config, steps, levels, _) => new LcmSampler(steps, levels, config.Number("timestep_scaling", 10)),
        ["EulerDiscreteScheduler"] = (_, steps, levels, options) => new EulerSampler(steps, levels, churn: options.Churn),
        ["EulerAncestralDiscreteScheduler"] = (_, steps, levels, _) => new EulerSampler(steps, levels, eta: 1),
        ["EDMEulerScheduler"] = (_, steps, levels, options) => new EulerSampler(steps, levels, churn: options.Churn),
        ["FlowMatchEulerDiscreteScheduler"] = (config, steps, levels, _) =>
            new EulerSampler(steps, levels, eta: config.Flag("stochastic_sampling") ? double.PositiveInfinity : 0),
        ["HeunDiscreteScheduler"] = (_, steps, levels, _) => new HeunSampler(steps, levels, unscaled: true),
        ["LMSDiscreteScheduler"] = (_, steps, levels, _) => new LmsSampler(steps, levels),
        ["DPMSolverMultistepScheduler"] = (config, steps, levels, _) => new DpmSolverSampler(steps, levels, Solver(config)),
        ["EDMDPMSolverMultistepScheduler"] = (config, steps, levels, _) => new DpmSolverSampler(steps, levels, Solver(config)),
        ["UniPCMultistepScheduler"] = (config, steps, levels, _) => new UniPcSampler(steps, levels, UniPc(config)),
    };

    public static IReadOnlyList<string> ClassNames => [.. Makers.Keys];

    /// <summary>What changes the result and is not read is an error, not something to pass over.</summary>
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

        if (!Makers.ContainsKey(config.ClassName))
        {
            throw new InvalidDataException($"The scheduler class \"{config.ClassName}\" is not known; this library reads {string.Join(", ", ClassNames)}.");
        }
    }

    public static Sampler Create(SchedulerConfig config, int steps, DiffusersSamplingOptions options) =>
        Makers[config.ClassName](config, steps, new SchedulerLevels(config, options.Mu), options);

    /// <summary>The limit on the image that is used.</summary>
    public static ImageLimit DenoiserLimit(SchedulerConfig config) =>
        Limit(config, clipByDefault: config.ClassName is "DDPMScheduler" or "DDIMScheduler" or "DDIMInverseScheduler" or "RePaintScheduler");

    private static ImageLimit Limit(SchedulerConfig config, bool clipByDefault) =>
        config.Flag("thresholding") ? ImageLimit.Dynamic(config.Number("dynamic_thresholding_ratio", 0.995), config.Number("sample_max_value", 1))
        : config.Flag("clip_sample", clipByDefault) ? ImageLimit.Clip(config.Number("clip_sample_range", 1))
        : ImageLimit.None;

    private static ReverseVariance Variance(SchedulerConfig config) => config.Text("variance_type", "fixed_small") switch
    {
        "fixed_small" or "fixed_small_log" => ReverseVariance.FixedSmall,
        "fixed_large" => ReverseVariance.FixedLarge,
        "learned_range" => ReverseVariance.LearnedRange,
        var other => throw config.Unknown("variance_type", other, "fixed_small, fixed_small_log, fixed_large, learned_range"),
    };

    private static DpmSolverOptions Solver(SchedulerConfig config)
    {
        var type = config.Text("algorithm_type", "dpmsolver++");
        if (type is not ("dpmsolver++" or "dpmsolver" or "sde-dpmsolver++"))
        {
            throw config.Unknown("algorithm_type", type, "dpmsolver++, dpmsolver, sde-dpmsolver++");
        }

        return new DpmSolverOptions
        {
            Order = config.Whole("solver_order", 2),
            Heun = config.Text("solver_type", "midpoint") == "heun",
            HalfCurvature = true,
            Eta = type == "sde-dpmsolver++" ? 1 : 0,
            PredictNoise = type == "dpmsolver",
            LowerOrderAtEnd = config.Flag("lower_order_final", true) ? null : false,
            EulerAtEnd = config.Flag("euler_at_final"),
        };
    }

    private static UniPcOptions UniPc(SchedulerConfig config) => new()
    {
        Order = config.Whole("solver_order", 2),
        SecondScale = config.Text("solver_type", "bh2") != "bh1",
        PredictNoise = !config.Flag("predict_x0", true),
        UncorrectedSteps = [.. (config.Numbers("disable_corrector") ?? []).Select(step => (int)step)],
        LowerOrderAtEnd = config.Flag("lower_order_final", true),
    };
}
