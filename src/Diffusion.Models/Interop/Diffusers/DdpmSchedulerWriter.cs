using System.Text.Json.Nodes;

namespace Diffusion.Models;

/// <summary>From this library's diffusion to the scheduler_config.json of a DDPMScheduler, every key of that class in alphabetical order.</summary>
/// <remarks>huggingface/diffusers, src/diffusers/schedulers/scheduling_ddpm.py.</remarks>
internal static class DdpmSchedulerWriter
{
    public const string ClassName = "DDPMScheduler";

    /// <exception cref="ArgumentException">That class cannot express something; the message says what.</exception>
    public static (ExactTable Table, JsonObject Json) Write(INoiseSchedule schedule, Parameterization parameterization, ImageLimit limit, DdpmOptions sampling, bool learnsVariance)
    {
        ThrowIfLeftOut(sampling);
        var (table, keys) = Table(schedule);
        var prediction = Prediction(parameterization);
        if (prediction == "epsilon" && schedule.LevelAt(schedule.Timesteps - 1).Alpha == 0)
        {
            throw Cannot("the prediction 'epsilon' with a schedule that ends at pure noise, which it would divide by 0; train velocity or image", nameof(parameterization));
        }

        var dynamic = limit.Threshold;
        if (limit is not { IsNone: true } && limit.ClipRange is null && dynamic is null)
        {
            throw Cannot($"the limit on images '{limit}'; it has none, clipping and dynamic thresholding with a finite maximum", nameof(limit));
        }

        return (table, new JsonObject
        {
            ["_class_name"] = ClassName,
            [FolderWriter.VersionKey] = FolderWriter.Version,
            ["beta_end"] = keys["beta_end"]!.DeepClone(),
            ["beta_schedule"] = keys["beta_schedule"]!.DeepClone(),
            ["beta_start"] = keys["beta_start"]!.DeepClone(),
            ["clip_sample"] = limit.ClipRange is not null,
            ["clip_sample_range"] = limit.ClipRange ?? 1,
            ["dynamic_thresholding_ratio"] = dynamic?.Ratio ?? 0.995,
            ["num_train_timesteps"] = schedule.Timesteps,
            ["prediction_type"] = prediction,
            ["rescale_betas_zero_snr"] = false,
            ["sample_max_value"] = dynamic?.Max ?? 1,
            ["steps_offset"] = 0,
            ["thresholding"] = dynamic is not null,
            ["timestep_spacing"] = Spacing(sampling.Spacing),
            ["trained_betas"] = keys["trained_betas"]?.DeepClone(),
            ["variance_type"] = Variance(sampling.Variance, learnsVariance),
        });
    }

    /// <summary>Of the options spacing and variance are written.</summary>
    private static void ThrowIfLeftOut(DdpmOptions sampling)
    {
        if (sampling.StartsAtSigma)
        {
            throw Cannot($"{nameof(DdpmOptions.StartsAtSigma)}: its runs begin with √(α² + σ²)·ε", nameof(sampling));
        }

        if (sampling.NoiseAtEnd)
        {
            throw Cannot($"{nameof(DdpmOptions.NoiseAtEnd)} for a pipeline that was trained here: read back, its last step adds no noise", nameof(sampling));
        }
    }

    private static (ExactTable Note, JsonObject Keys) Table(INoiseSchedule schedule)
    {
        try
        {
            return ExactTable.Of(schedule);
        }
        catch (ArgumentException error)
        {
            throw Cannot($"the schedule {schedule.GetType().Name}: {error.Message}", nameof(schedule));
        }
    }

    private static string Prediction(Parameterization parameterization) =>
        parameterization == Parameterization.Epsilon ? "epsilon"
        : parameterization == Parameterization.Image ? "sample"
        : parameterization == Parameterization.Velocity ? "v_prediction"
        : throw Cannot($"the prediction '{parameterization.Name}'; it has {Parameterization.Epsilon.Name}, {Parameterization.Image.Name} and {Parameterization.Velocity.Name}", nameof(parameterization));

    private static string Spacing(StepSpacing? spacing)
    {
        StepSpacing[] known = [StepSpacing.Trailing, StepSpacing.Leading, StepSpacing.Linspace];
        return known.Contains(spacing ?? StepSpacing.Trailing)
            ? (spacing ?? StepSpacing.Trailing).Name
            : throw Cannot($"the spacing '{spacing}'; it has {string.Join(", ", known.AsEnumerable())}", nameof(spacing));
    }

    private static string Variance(ReverseVariance variance, bool learned) => (variance, learned) switch
    {
        (ReverseVariance.LearnedRange, true) => "learned_range",
        (ReverseVariance.FixedSmall, false) => "fixed_small",
        (ReverseVariance.FixedLarge, false) => "fixed_large",
        _ => throw Cannot(
            $"the variance {variance} with a network that {(learned ? "learns one" : "learns none")}; it has {(learned ? $"{nameof(ReverseVariance.LearnedRange)}" : $"{nameof(ReverseVariance.FixedSmall)} and {nameof(ReverseVariance.FixedLarge)}")} for it",
            nameof(variance)),
    };

    private static ArgumentException Cannot(string what, string parameter) => new($"{ClassName} of diffusers cannot express {what}.", parameter);
}
