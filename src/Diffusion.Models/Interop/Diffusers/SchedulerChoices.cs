using System.Collections.Frozen;

namespace Diffusion.Models;

/// <summary>Which values the keys with a fixed set of them have, by class: those that the class of diffusers takes and this library reads.</summary>
/// <remarks>huggingface/diffusers, src/diffusers/schedulers: the constructors, and the step methods for prediction_type.</remarks>
internal static class SchedulerChoices
{
    private const string Prediction = "prediction_type";
    private const string Algorithm = "algorithm_type";

    private static readonly string[] s_noiseOrVelocity = ["epsilon", "v_prediction"];
    private static readonly string[] s_predictions = ["epsilon", "sample", "v_prediction"];
    private static readonly string[] s_withFlow = [.. s_predictions, "flow_prediction"];
    private static readonly string[] s_betas = ["linear", "scaled_linear", "squaredcos_cap_v2"];
    private static readonly string[] s_ddpmBetas = [.. s_betas, "sigmoid", "laplace"];

    /// <summary>The solver types of both families are read by both, as in diffusers: those of the other one are the default.</summary>
    private static readonly FrozenDictionary<string, string[]> s_ofAll = new Dictionary<string, string[]>
    {
        ["beta_schedule"] = s_betas,
        ["final_sigmas_type"] = ["zero", "sigma_min"],
        ["interpolation_type"] = ["linear", "log_linear"],
        [Prediction] = s_predictions,
        ["sigma_schedule"] = ["karras", "exponential"],
        ["solver_type"] = ["midpoint", "heun", "logrho", "bh1", "bh2"],
        ["time_shift_type"] = ["exponential", "linear"],
        ["timestep_spacing"] = ["leading", "linspace", "trailing"],
        ["timestep_type"] = ["discrete", "continuous"],
        ["variance_type"] = ["fixed_small", "fixed_small_log", "fixed_large", "fixed_large_log", "learned", "learned_range"],
    }.ToFrozenDictionary(StringComparer.Ordinal);

    private static readonly Dictionary<(string ClassName, string Key), string[]> s_ofClass = new()
    {
        [("CosineDPMSolverMultistepScheduler", Prediction)] = s_noiseOrVelocity,
        [("DDIMInverseScheduler", "timestep_spacing")] = ["leading", "trailing"],
        [("DDPMParallelScheduler", "beta_schedule")] = s_ddpmBetas,
        [("DDPMScheduler", "beta_schedule")] = s_ddpmBetas,
        [("DPMSolverSDEScheduler", Prediction)] = s_noiseOrVelocity,
        [("EDMDPMSolverMultistepScheduler", Algorithm)] = ["dpmsolver++", "sde-dpmsolver++", "deis"],
        [("EDMDPMSolverMultistepScheduler", Prediction)] = s_noiseOrVelocity,
        [("EDMEulerScheduler", Prediction)] = s_noiseOrVelocity,
        [("EulerAncestralDiscreteScheduler", Prediction)] = s_noiseOrVelocity,
        [("EulerDiscreteScheduler", Prediction)] = [.. s_predictions, "original_sample"],
        [("HeunDiscreteScheduler", "beta_schedule")] = [.. s_betas, "exp"],
        [("HeunDiscreteScheduler", Prediction)] = s_noiseOrVelocity,
        [("KDPM2AncestralDiscreteScheduler", Prediction)] = s_noiseOrVelocity,
        [("KDPM2DiscreteScheduler", Prediction)] = s_noiseOrVelocity,
        [("PNDMScheduler", Prediction)] = s_noiseOrVelocity,
        [("UnCLIPScheduler", "beta_schedule")] = ["squaredcos_cap_v2"],
        [("UnCLIPScheduler", Prediction)] = ["epsilon", "sample"],
    };

    /// <summary>Each key of the class with such a set, and its set.</summary>
    public static IEnumerable<(string Key, string[] Known)> Of(SchedulerConfig config) => SchedulerKeys.Of(config.ClassName)
        .Select(key => (key, ReadsFlow(config, key) ? s_withFlow : s_ofClass.GetValueOrDefault((config.ClassName, key)) ?? s_ofAll.GetValueOrDefault(key)))
        .Where(choice => choice.Item2 is not null).Select(choice => (choice.key, choice.Item2!));

    /// <summary>The solvers read the velocity of a flow where they predict the image, and not where they predict the noise.</summary>
    private static bool ReadsFlow(SchedulerConfig config, string key) => key == Prediction && config.ClassName switch
    {
        "DPMSolverMultistepScheduler" or "DPMSolverMultistepInverseScheduler" or "DPMSolverSinglestepScheduler" => config.Text(Algorithm, "dpmsolver++") != "dpmsolver",
        "DEISMultistepScheduler" => true,
        "SASolverScheduler" => config.Text(Algorithm, "data_prediction") != "noise_prediction",
        "UniPCMultistepScheduler" => config.Flag("predict_x0", true),
        _ => false,
    };
}
