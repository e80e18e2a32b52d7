using System.Text.Json.Nodes;

namespace Diffusion.Models;

/// <summary>From a rectified flow to the scheduler_config.json of a FlowMatchEulerDiscreteScheduler, every key of that class in alphabetical order.</summary>
/// <remarks>huggingface/diffusers, src/diffusers/schedulers/scheduling_flow_match_euler_discrete.py.</remarks>
internal static class FlowSchedulerWriter
{
    public const string ClassName = "FlowMatchEulerDiscreteScheduler";

    /// <exception cref="ArgumentException">That class cannot express something; the message says what.</exception>
    public static JsonObject Write(RectifiedFlowNoiseSchedule schedule, Parameterization parameterization, ImageLimit? limit, DdpmOptions? sampling, bool learnsVariance)
    {
        if (parameterization != Parameterization.Flow)
        {
            throw Cannot($"the prediction '{parameterization.Name}' for a rectified flow; it has {Parameterization.Flow.Name}", nameof(parameterization));
        }

        if (limit is { IsNone: false })
        {
            throw Cannot($"the limit on images '{limit}'; it has none", nameof(limit));
        }

        if (sampling is not null)
        {
            throw Cannot($"{nameof(DdpmOptions)}: its steps are those of Euler's method, evenly in σ from pure noise {Last(schedule)}", nameof(sampling));
        }

        if (learnsVariance)
        {
            throw Cannot("a network that learns a variance", nameof(learnsVariance));
        }

        return new JsonObject
        {
            ["_class_name"] = ClassName,
            [FolderWriter.VersionKey] = FolderWriter.Version,
            ["base_image_seq_len"] = 256,
            ["base_shift"] = 0.5,
            ["invert_sigmas"] = false,
            ["max_image_seq_len"] = 4096,
            ["max_shift"] = 1.15,
            ["num_train_timesteps"] = schedule.Timesteps,
            ["shift"] = schedule.Shift,
            ["shift_terminal"] = null,
            ["stochastic_sampling"] = false,
            ["time_shift_type"] = "exponential",
            ["use_beta_sigmas"] = false,
            ["use_dynamic_shifting"] = false,
            ["use_exponential_sigmas"] = false,
            ["use_karras_sigmas"] = false,
        };
    }

    /// <summary>Where the steps end, and what becomes of them: with a shift it is applied to the last level and then to all of them.</summary>
    private static string Last(RectifiedFlowNoiseSchedule schedule) => schedule.Shift == 1 ? "to 1/T" : FormattableString.Invariant($"on, then shifted by {schedule.Shift}");

    private static ArgumentException Cannot(string what, string parameter) => new($"{ClassName} of diffusers cannot express {what}.", parameter);
}
