namespace Diffusion.Models;

/// <summary>The noise schedules of scheduler configurations.</summary>
internal static class SchedulerTables
{
    // These schedulers replace ᾱ = 0 by it, so that σ/α stays finite: diffusers, rescale_zero_terminal_snr.
    private const double SmallestAlphaBar = 1.0 / (1 << 24);

    private static readonly string[] NeedFiniteRatio =
    [
        "EulerDiscreteScheduler", "EulerAncestralDiscreteScheduler", "HeunDiscreteScheduler", "LMSDiscreteScheduler", "DPMSolverMultistepScheduler", "UniPCMultistepScheduler",
    ];

    public static INoiseSchedule Schedule(SchedulerConfig config)
    {
        if (config.IsFlowMatch)
        {
            return new RectifiedFlowNoiseSchedule(config.Timesteps, config.Flag("use_dynamic_shifting") ? 1 : config.Number("shift", 1));
        }

        if (config.IsEdm)
        {
            return Edm(config);
        }

        if (config.ClassName == "ScoreSdeVeScheduler")
        {
            var ramp = SigmaRamp.PolyExponential(config.Timesteps, config.Number("sigma_min", 0.01), config.Number("sigma_max", 1348), 1);
            return new SigmaNoiseSchedule(ramp.Reverse(), sigma => sigma);
        }

        if (config.ClassName == "IPNDMScheduler")
        {
            return config.Has("trained_betas") ? throw config.Unknown("trained_betas", "a list", "null") : new SineSquareSchedule(config.Timesteps);
        }

        if (config.Flag("use_flow_sigmas"))
        {
            return new RectifiedFlowNoiseSchedule(config.Timesteps, config.Number("flow_shift", 1));
        }

        return config.IsContinuous ? new LogSigmaSchedule(Table(config)) : Table(config);
    }

    private static SigmaNoiseSchedule Edm(SchedulerConfig config)
    {
        var (min, max, _) = config.EdmSigmas;
        var ramp = config.IsKarras ? SigmaRamp.Karras(config.Timesteps, min, max, config.Number("rho", 7)) : SigmaRamp.PolyExponential(config.Timesteps, min, max, 1);
        return new SigmaNoiseSchedule(ramp.Reverse(), config.ClassName == "CosineDPMSolverMultistepScheduler" ? sigma => Math.Atan(sigma) / Math.PI * 2 : null);
    }

    /// <summary>σ/α of the first timestep of the βs.</summary>
    public static double SmallestRatio(SchedulerConfig config) => Table(config).LevelAt(0).Ratio;

    /// <summary>The table of the βs.</summary>
    public static INoiseSchedule Table(SchedulerConfig config)
    {
        var table = Rounded(config);
        if (!config.Flag("rescale_betas_zero_snr"))
        {
            return table;
        }

        var rescaled = new ZeroTerminalSnrSchedule(table);
        return NeedFiniteRatio.Contains(config.ClassName) ? new FiniteSchedule(rescaled) : rescaled;
    }

    /// <summary>
    /// The table with the rounding of diffusers, which keeps β, 1 − β and ᾱ in Float32: it changes σ of the first timesteps by up to 1e-4 of its value,
    /// and networks were trained with it.
    /// </summary>
    /// <exception cref="ArgumentException">ᾱ does not decrease there.</exception>
    public static BetaNoiseSchedule InSinglePrecision(TabulatedNoiseSchedule schedule)
    {
        var product = 1.0;
        return BetaNoiseSchedule.FromAlphaBars(schedule.Betas.Select(beta =>
        {
            product *= (float)(1 - (double)(float)beta);
            return (double)(float)product;
        }));
    }

    private static BetaNoiseSchedule Rounded(SchedulerConfig config)
    {
        var betas = Betas(config);
        try
        {
            return InSinglePrecision(betas);
        }
        catch (ArgumentException error)
        {
            var keys = config.Has("trained_betas") ? "\"trained_betas\"" : "\"beta_schedule\", \"beta_start\", \"beta_end\" and \"num_train_timesteps\"";
            throw new InvalidDataException($"{config.ClassName}: {keys} make no schedule in single precision, which diffusers keeps it in: {error.Message}", error);
        }
    }

    private static TabulatedNoiseSchedule Betas(SchedulerConfig config)
    {
        if (config.Numbers("trained_betas") is { } trained)
        {
            return new BetaNoiseSchedule(trained);
        }

        var latent = config.ClassName is "HeunDiscreteScheduler" or "LCMScheduler" or "KDPM2DiscreteScheduler" or "KDPM2AncestralDiscreteScheduler" or "DPMSolverSDEScheduler";
        var start = config.OptionalNumber("beta_start") ?? (latent ? 0.00085 : 1e-4);
        var end = config.OptionalNumber("beta_end") ?? (latent ? 0.012 : 0.02);
        return config.Text("beta_schedule", config.ClassName switch { "LCMScheduler" => "scaled_linear", "UnCLIPScheduler" => "squaredcos_cap_v2", _ => "linear" }) switch
        {
            "linear" => new LinearNoiseSchedule(config.Timesteps, start, end),
            "scaled_linear" => new ScaledLinearNoiseSchedule(config.Timesteps, start, end),
            "squaredcos_cap_v2" => new CosineNoiseSchedule(config.Timesteps),
            "sigmoid" => SigmoidNoiseSchedule.OfBetas(config.Timesteps, start, end),
            "laplace" => new BetaNoiseSchedule(FromAlphaBar(config.Timesteps, LaplaceAlphaBar)),
            "exp" => new BetaNoiseSchedule(FromAlphaBar(config.Timesteps, u => Math.Exp(-12 * u))),
            var other => throw config.Unknown("beta_schedule", other, "linear, scaled_linear, squaredcos_cap_v2, sigmoid, laplace, exp, and trained_betas"),
        };
    }

    private static IEnumerable<double> FromAlphaBar(int timesteps, Func<double, double> alphaBar) => Enumerable.Range(0, timesteps)
        .Select(t => Math.Min(1 - (alphaBar((t + 1.0) / timesteps) / alphaBar((double)t / timesteps)), 0.999));

    /// <summary>As diffusers has it, with the square root and the small constant that the paper (see <see cref="LaplaceNoiseSchedule"/>) does not have.</summary>
    private static double LaplaceAlphaBar(double u)
    {
        var logSnr = -0.5 * Math.CopySign(1, 0.5 - u) * Math.Log(1 - (2 * Math.Abs(0.5 - u)) + 1e-6);
        var snr = Math.Exp(logSnr);
        return Math.Sqrt(snr / (1 + snr));
    }

    /// <summary>A schedule whose pure noise at the end is replaced by a level with a finite σ/α, which is smaller than that of the timestep before it.</summary>
    private sealed class FiniteSchedule(ZeroTerminalSnrSchedule inner) : INoiseSchedule
    {
        public int Timesteps => inner.Timesteps;

        public NoiseLevel LevelAt(int timestep) => timestep == Timesteps - 1
            ? new NoiseLevel(Math.Sqrt(SmallestAlphaBar), Math.Sqrt(1 - SmallestAlphaBar), timestep)
            : inner.LevelAt(timestep);
    }
}
