using System.Collections.Frozen;

namespace Diffusion.Models;

/// <summary>What is wrong in a scheduler configuration, found when it is read and not when images are made.</summary>
internal static class SchedulerChecks
{
    private static readonly string[] s_ramps = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"];

    private static readonly FrozenDictionary<string, Action<SchedulerConfig, string>> s_types = Types().ToFrozenDictionary(StringComparer.Ordinal);

    /// <exception cref="InvalidDataException">A value of a key that the class reads is not of its type, not one of those that there are, or contradicts another.</exception>
    public static void ThrowIfWrong(SchedulerConfig config)
    {
        foreach (var key in config.ReadKeys())
        {
            s_types.GetValueOrDefault(key)?.Invoke(config, key);
        }

        // Which βs there are does not matter where the file has its own.
        foreach (var (key, known) in SchedulerChoices.Of(config).Where(choice => choice.Key != "beta_schedule" || config.Numbers("trained_betas") is null))
        {
            // A variance type that is null is the default, and left behind by classes that learn none.
            ThrowUnlessOneOf(config, key, known, nullable: key == "variance_type");
        }

        Betas(config);
        Spacing(config);
        Ramps(config);
        if (config.NumberOrInfinity("lambda_min_clipped") == double.PositiveInfinity)
        {
            throw config.Wrong("lambda_min_clipped", "a number below Infinity");
        }

        if (config.Number("sampling_eps", 0) is < 0 or >= 1)
        {
            throw config.Wrong("sampling_eps", "in [0, 1)");
        }

        if (config.OptionalNumber("shift_terminal") is < 0 or >= 1)
        {
            throw config.Wrong("shift_terminal", "in [0, 1), or null");
        }
    }

    private static IEnumerable<KeyValuePair<string, Action<SchedulerConfig, string>>> Types()
    {
        string[] flags =
        [
            "clip_sample", "euler_at_final", "invert_sigmas", "lower_order_final", "predict_epsilon", "predict_x0", "rescale_betas_zero_snr", "set_alpha_to_one", "set_alpha_to_zero", "skip_prk_steps", "stochastic_sampling",
            "thresholding", "use_beta_sigmas", "use_dynamic_shifting", "use_exponential_sigmas", "use_flow_sigmas", "use_karras_sigmas", "use_lu_lambdas",
        ];
        string[] wholes = ["correct_steps", "corrector_order", "noise_sampler_seed", "num_train_timesteps", "original_inference_steps", "predictor_order", "solver_order", "steps_offset"];
        string[] numbers =
        [
            "base_image_seq_len", "base_shift", "beta_end", "beta_start", "clip_sample_range", "flow_shift", "max_image_seq_len", "max_shift", "rho", "sample_max_value", "shift", "shift_terminal",
            "sampling_eps", "sigma_data", "sigma_max", "sigma_min", "snr", "timestep_scaling", "dynamic_thresholding_ratio",
        ];
        return
        [
            .. flags.Select(key => KeyValuePair.Create<string, Action<SchedulerConfig, string>>(key, (config, name) => config.Flag(name))),
            .. wholes.Select(key => KeyValuePair.Create<string, Action<SchedulerConfig, string>>(key, (config, name) => config.Whole(name, 0))),
            .. numbers.Select(key => KeyValuePair.Create<string, Action<SchedulerConfig, string>>(key, (config, name) => config.OptionalNumber(name))),
            new("disable_corrector", (config, name) => config.Wholes(name)),
            new("trained_betas", (config, name) => config.Numbers(name)),
        ];
    }

    private static void ThrowUnlessOneOf(SchedulerConfig config, string key, string[] known, bool nullable)
    {
        if (!(nullable && config.HasNull(key)) && config.Text(key, known[0]) is var value && !known.Contains(value))
        {
            throw config.Unknown(key, value, string.Join(", ", known));
        }
    }

    private static void Betas(SchedulerConfig config)
    {
        var betas = config.Numbers("trained_betas");
        for (var i = 0; i < betas?.Count; i++)
        {
            if (betas[i] is not (> 0 and <= 1))
            {
                throw new InvalidDataException(FormattableString.Invariant($"{config.ClassName}: \"trained_betas\" must be above 0 and at most 1; trained_betas[{i}] is {betas[i]:R}."));
            }
        }

        if (betas is null)
        {
            foreach (var name in config.Text("beta_schedule", "linear") is "linear" or "scaled_linear" or "sigmoid" ? (string[])["beta_start", "beta_end"] : [])
            {
                if (config.Number(name, 0.5) is not (> 0 and <= 1))
                {
                    throw config.Wrong(name, "above 0 and at most 1");
                }
            }
        }
        else if (betas.Count < config.Timesteps)
        {
            throw new InvalidDataException(
                $"{config.ClassName}: \"trained_betas\" has {betas.Count} numbers and \"num_train_timesteps\" is {config.Timesteps}{(config.Has("num_train_timesteps") ? string.Empty : " (its default)")}; there must be at least as many.");
        }
    }

    private static void Spacing(SchedulerConfig config)
    {
        // How many steps an offset leaves room for is known when they are asked for.
        var keys = SchedulerKeys.Of(config.ClassName);
        if (config.Spacing == "leading" && (config.Offset < 0 || config.Offset >= config.Timesteps))
        {
            throw config.Wrong("steps_offset", $"from 0 to {config.Timesteps - 1} with {config.Timesteps} timesteps");
        }

        if (keys.Contains("original_inference_steps") && config.Whole("original_inference_steps", 50) is var original && (original < 1 || original > config.Timesteps))
        {
            throw new InvalidDataException(
                $"{config.ClassName}: \"original_inference_steps\" must be from 1 to \"num_train_timesteps\", {config.Timesteps}; it is {original}{(config.Has("original_inference_steps") ? string.Empty : ", the default")}.");
        }
    }

    private static void Ramps(SchedulerConfig config)
    {
        string[] ramps = [.. s_ramps.Where(name => config.Flag(name))];
        var both = config.ClassName == "UniPCMultistepScheduler" && ramps is ["use_karras_sigmas"]; // σ/(1 + σ) of Karras's ramp
        string[] spacings = config.Flag("use_lu_lambdas") ? [.. ramps, "use_lu_lambdas"] : ramps;
        if (ramps.Length > 1 || (spacings.Length > 0 && config.Flag("use_flow_sigmas") && !both))
        {
            throw new InvalidDataException(
                $"{config.ClassName}: {string.Join(" and ", spacings.Concat(config.Flag("use_flow_sigmas") ? ["use_flow_sigmas"] : []).Select(name => $"\"{name}\""))} are true; this library reads one of them.");
        }

        // Without a ramp only the classes of EDM read them.
        foreach (var name in ramps.Length > 0 || SchedulerKeys.Of(config.ClassName).Contains("sigma_data") ? (string[])["sigma_min", "sigma_max"] : [])
        {
            if (config.OptionalNumber(name) is <= 0)
            {
                throw config.Wrong(name, "above 0");
            }
        }

        if (ramps.Length > 0 && config.OptionalNumber("sigma_min") is { } min && config.OptionalNumber("sigma_max") is { } max && min >= max)
        {
            throw config.Wrong("sigma_min", FormattableString.Invariant($"below \"sigma_max\", {max:R}"));
        }
    }
}
