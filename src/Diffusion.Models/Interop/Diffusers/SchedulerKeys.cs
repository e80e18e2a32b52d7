using System.Collections.Frozen;

namespace Diffusion.Models;

/// <summary>Which keys each scheduler class of diffusers has in its configuration: the arguments of its constructor.</summary>
/// <remarks>
/// huggingface/diffusers, src/diffusers/schedulers, 0.42.1 (and commit 58eb52c before it). Of RFD4ProteinaScheduler the source was not at hand, so its keys are missing.
/// </remarks>
internal static class SchedulerKeys
{
    /// <summary>Whether the network predicts noise, in versions before 0.10; prediction_type took its place.</summary>
    public const string PredictEpsilon = "predict_epsilon";

    /// <summary>What set_alpha_to_one of DDIMInverseScheduler was called once; the class still reads it, before the new name.</summary>
    public const string AlphaToZero = "set_alpha_to_zero";

    private const string Prediction = "prediction_type";

    private static readonly string[] s_betas = ["num_train_timesteps", "beta_start", "beta_end", "beta_schedule", "trained_betas"];
    private static readonly string[] s_spacing = ["timestep_spacing", "steps_offset"];
    private static readonly string[] s_clip = ["clip_sample", "clip_sample_range"];
    private static readonly string[] s_threshold = ["thresholding", "dynamic_thresholding_ratio", "sample_max_value"];
    private static readonly string[] s_ramps = ["use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas"];
    private static readonly string[] s_flow = ["use_flow_sigmas", "flow_shift"];
    private static readonly string[] s_shift = ["use_dynamic_shifting", "time_shift_type"];
    private static readonly string[] s_solver = [Prediction, "solver_order", "solver_type", "lower_order_final"];
    private static readonly string[] s_discrete = [.. s_betas, .. s_spacing, Prediction];
    private static readonly string[] s_ramped = [.. s_discrete, .. s_ramps];

    private static readonly string[] s_ddpm = [.. s_discrete, .. s_clip, .. s_threshold, "variance_type", "rescale_betas_zero_snr"];
    private static readonly string[] s_ddim = [.. s_discrete, .. s_clip, .. s_threshold, "set_alpha_to_one", "rescale_betas_zero_snr"];
    private static readonly string[] s_distilled = [.. s_ddim, "original_inference_steps", "timestep_scaling"];
    private static readonly string[] s_multistep = [.. s_ramped, .. s_threshold, .. s_flow, .. s_solver];
    private static readonly string[] s_edm = ["num_train_timesteps", Prediction, "sigma_min", "sigma_max", "sigma_data", "sigma_schedule", "rho", "final_sigmas_type"];
    private static readonly string[] s_flowMatch =
    [
        "num_train_timesteps", "shift", .. s_shift, "base_shift", "max_shift", "base_image_seq_len", "max_image_seq_len", "invert_sigmas", "shift_terminal", .. s_ramps,
    ];

    private static readonly string[] s_video = [.. s_discrete, .. s_clip, "sample_max_value", "set_alpha_to_one", "rescale_betas_zero_snr", "snr_shift_scale"];
    private static readonly string[] s_pyramid = ["num_train_timesteps", "shift", "stages", "stage_range", "gamma", Prediction, "use_flow_sigmas", .. s_shift];

    private static readonly FrozenDictionary<string, FrozenSet<string>> s_classes = new Dictionary<string, string[]>
    {
        ["AmusedScheduler"] = ["mask_token_id", "masking_schedule"],
        ["BlockRefinementScheduler"] = ["block_length", "num_inference_steps", "threshold", "editing_threshold", "minimal_topk"],
        ["CMStochasticIterativeScheduler"] = ["num_train_timesteps", "sigma_min", "sigma_max", "sigma_data", "s_noise", "rho", "clip_denoised"],
        ["CogVideoXDDIMScheduler"] = s_video,
        ["CogVideoXDPMScheduler"] = s_video,
        ["ConsistencyDecoderScheduler"] = ["num_train_timesteps", "sigma_data"],
        ["CosineDPMSolverMultistepScheduler"] = [.. s_edm, .. s_solver, "euler_at_final"],
        ["DDIMInverseScheduler"] = [.. s_discrete, .. s_clip, "set_alpha_to_one", AlphaToZero, "rescale_betas_zero_snr"],
        ["DDIMParallelScheduler"] = s_ddim,
        ["DDIMScheduler"] = s_ddim,
        ["DDPMParallelScheduler"] = s_ddpm,
        ["DDPMScheduler"] = s_ddpm,
        ["DDPMWuerstchenScheduler"] = ["scaler", "s"],
        ["DEISMultistepScheduler"] = [.. s_multistep, .. s_shift, "algorithm_type"],
        ["DiscreteDDIMScheduler"] = ["num_inference_steps", "corrector_steps", "corrector_k", "corrector_selection", "corrector_selection_tau"],
        ["DPMSolverMultistepInverseScheduler"] = [.. s_multistep, "algorithm_type", "euler_at_final", "lambda_min_clipped", "variance_type"],
        ["DPMSolverMultistepScheduler"] =
        [
            .. s_multistep, .. s_shift, "algorithm_type", "euler_at_final", "lambda_min_clipped", "variance_type", "final_sigmas_type", "rescale_betas_zero_snr", "use_lu_lambdas",
        ],
        ["DPMSolverSDEScheduler"] = [.. s_ramped, "noise_sampler_seed"],
        ["DPMSolverSinglestepScheduler"] =
        [
            .. s_betas, .. s_ramps, .. s_threshold, .. s_flow, .. s_shift, .. s_solver, "algorithm_type", "lambda_min_clipped", "variance_type", "final_sigmas_type",
        ],
        ["EDMDPMSolverMultistepScheduler"] = [.. s_edm, .. s_solver, .. s_threshold, "algorithm_type", "euler_at_final"],
        ["EDMEulerScheduler"] = s_edm,
        ["EntropyBoundScheduler"] = ["entropy_bound", "num_inference_steps"],
        ["EulerAncestralDiscreteScheduler"] = [.. s_discrete, "rescale_betas_zero_snr"],
        ["EulerDiscreteScheduler"] = [.. s_ramped, "sigma_min", "sigma_max", "final_sigmas_type", "interpolation_type", "timestep_type", "rescale_betas_zero_snr"],
        ["FlowMapEulerDiscreteScheduler"] = ["num_train_timesteps", "shift"],
        ["FlowMatchEulerDiscreteScheduler"] = [.. s_flowMatch, "stochastic_sampling"],
        ["FlowMatchHeunDiscreteScheduler"] = ["num_train_timesteps", "shift"],
        ["FlowMatchLCMScheduler"] = [.. s_flowMatch, "scale_factors", "upscale_mode"],
        ["HeliosDMDScheduler"] = s_pyramid,
        ["HeliosScheduler"] = [.. s_pyramid, .. s_solver, "thresholding", "predict_x0", "disable_corrector", "solver_p", "version", "scheduler_type"],
        ["HeunDiscreteScheduler"] = [.. s_ramped, .. s_clip],
        ["IPNDMScheduler"] = ["num_train_timesteps", "trained_betas"],
        ["KarrasVeScheduler"] = ["sigma_min", "sigma_max", "s_noise", "s_churn", "s_min", "s_max"],
        ["KDPM2AncestralDiscreteScheduler"] = s_ramped,
        ["KDPM2DiscreteScheduler"] = s_ramped,
        ["LCMScheduler"] = s_distilled,
        ["LMSDiscreteScheduler"] = s_ramped,
        ["LTXEulerAncestralRFScheduler"] = ["num_train_timesteps", "eta", "s_noise"],
        ["MiniMaxH3Scheduler"] = ["shift"],
        ["PiflowScheduler"] = ["num_train_timesteps", "shift", "n_grid", "nfe", "eps", "final_step_size_scale", "num_policy_substeps"],
        ["PNDMScheduler"] = [.. s_discrete, "set_alpha_to_one", "skip_prk_steps"],
        ["RePaintScheduler"] = [.. s_betas, "eta", "clip_sample"],
        ["SASolverScheduler"] =
        [
            .. s_ramped, .. s_threshold, .. s_flow, "predictor_order", "corrector_order", "tau_func", "algorithm_type", "lower_order_final", "lambda_min_clipped", "variance_type",
        ],
        ["SCMScheduler"] = ["num_train_timesteps", Prediction, "sigma_data"],
        ["ScoreSdeVeScheduler"] = ["num_train_timesteps", "snr", "sigma_min", "sigma_max", "sampling_eps", "correct_steps"],
        ["ScoreSdeVpScheduler"] = ["num_train_timesteps", "beta_min", "beta_max", "sampling_eps"],
        ["TCDScheduler"] = s_distilled,
        ["UnCLIPScheduler"] = ["num_train_timesteps", "beta_schedule", .. s_clip, Prediction, "variance_type"],
        ["UniPCMultistepScheduler"] =
        [
            .. s_multistep, .. s_shift, "sigma_min", "sigma_max", "shift_terminal", "final_sigmas_type", "rescale_betas_zero_snr", "predict_x0", "disable_corrector", "solver_p",
        ],
        ["VQDiffusionScheduler"] = ["num_vec_classes", "num_train_timesteps", "alpha_cum_start", "alpha_cum_end", "gamma_cum_start", "gamma_cum_end"],
    }.ToFrozenDictionary(entry => entry.Key, entry => WithPredictEpsilon(entry.Value).ToFrozenSet(StringComparer.Ordinal), StringComparer.Ordinal);

    /// <summary>Keys that classes of earlier versions had, and none has now.</summary>
    private static readonly string[] s_former = ["tensor_format", "timestep_values", "denoise_final", "clip_predicted_image"];

    private static readonly FrozenSet<string> s_all = s_classes.Values.SelectMany(keys => keys).Concat(s_former).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>The classes, with those that this library does not read.</summary>
    public static IEnumerable<string> ClassNames => s_classes.Keys;

    /// <summary>The keys of a class.</summary>
    public static IReadOnlySet<string> Of(string className) => s_classes.TryGetValue(className, out var keys) ? keys : FrozenSet<string>.Empty;

    /// <summary>Whether any class has the key, or had it once.</summary>
    public static bool IsKnown(string key) => s_all.Contains(key);

    // It says what the network predicts, whatever class samples from it.
    private static IEnumerable<string> WithPredictEpsilon(string[] keys) => keys.Contains(Prediction) ? keys.Append(PredictEpsilon) : keys;
}
