using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// A scheduler of the diffusers library as its parts: a noise schedule, a parameterization, a limit on x̂₀ and a sampler with its levels.
/// </summary>
/// <remarks>
/// huggingface/diffusers, src/diffusers/schedulers. Samplers in σ work here on x at the schedule's own scale: their x is this one divided by α.
/// </remarks>
public sealed class DiffusersScheduler
{
    private readonly SchedulerConfig _config;

    private DiffusersScheduler(SchedulerConfig config)
    {
        _config = config;
        SchedulerChecks.ThrowIfWrong(config);
        SchedulerSamplers.ThrowUnlessKnown(config);
        UnusedKeys = config.UnusedKeys;
        Schedule = SchedulerTables.Schedule(config);
        Parameterization = ReadParameterization(config);
        // Wrong values that only samplers read are errors here, not when images are sampled.
        _ = SchedulerSamplers.Limit(config);
        _ = SchedulerSamplers.Create(config, 1, new DiffusersSamplingOptions());
    }

    /// <summary>The class names that can be read.</summary>
    public static IReadOnlyList<string> ClassNames => SchedulerSamplers.ClassNames;

    /// <summary>The name of the class, for example <c>DDIMScheduler</c>.</summary>
    public string ClassName => _config.ClassName;

    /// <summary>The noise schedule.</summary>
    public INoiseSchedule Schedule { get; }

    /// <summary>What the network predicts.</summary>
    public Parameterization Parameterization { get; }

    /// <summary>What is done to x̂₀. Samplers of <c>CreateSampler</c> have it; for others: <c>denoiser.Limited(scheduler.Limit)</c>.</summary>
    public ImageLimit Limit => SchedulerSamplers.Limit(_config);

    /// <summary>
    /// The keys of the text that are not used, as in diffusers: other classes of schedulers have them, now or in earlier versions, and the text kept them when its class was changed. In the order of the text; their values are not read.
    /// </summary>
    public IReadOnlyList<string> UnusedKeys { get; }

    /// <summary>Reads the text of a scheduler_config.json.</summary>
    /// <param name="json">
    /// A JSON object with <c>_class_name</c>, as Python writes it: numbers may be NaN and infinite. What it leaves out has the default of the class. A key is read if the class has it. Names that begin with an underscore are notes.
    /// </param>
    /// <param name="ignoredKeys">Keys that are taken as if the text did not have them, known or not; <see langword="null"/> (default) for none. They need not be there, and are not in <see cref="UnusedKeys"/>.</param>
    /// <returns>The scheduler.</returns>
    /// <exception cref="InvalidDataException">
    /// It is not such an object, has a name twice, the class is not known, a key is of no class and not among <paramref name="ignoredKeys"/>, a value is not known, contradicts another or makes no schedule; the message names it.
    /// </exception>
    public static DiffusersScheduler Parse(string json, IReadOnlyCollection<string>? ignoredKeys = null) => Parse(json, className: null, ignoredKeys);

    /// <summary>Reads a scheduler_config.json.</summary>
    /// <param name="file">The file, with a text as <see cref="Parse(string, IReadOnlyCollection{string})"/> reads it.</param>
    /// <param name="ignoredKeys">Keys that are taken as if the file did not have them; <see langword="null"/> (default) for none.</param>
    /// <returns>The scheduler.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no plain file (a named pipe, a socket, a device), or as of <see cref="Parse(string, IReadOnlyCollection{string})"/>; the message names the file and the reason.</exception>
    public static DiffusersScheduler Read(string file, IReadOnlyCollection<string>? ignoredKeys = null) =>
        DescriptionFile.Read(file, "a scheduler of diffusers", text => Parse(text, ignoredKeys));

    /// <summary>A network as a denoiser of the scheduler's schedule and prediction type. The limit on x̂₀ is that of <c>CreateSampler</c>.</summary>
    /// <param name="network">Takes noisy images and timesteps; the caller keeps owning it.</param>
    /// <param name="nullCondition">What the network reads as "no condition", which guidance needs, such as the encoding of an empty text; <see langword="null"/> (default) if there is none.</param>
    /// <returns>The denoiser.</returns>
    public IDenoiser Denoiser(nn.Module<Tensor, Tensor, Tensor> network, Condition? nullCondition = null) => new NetworkDenoiser(network, Schedule, Parameterization, nullCondition);

    /// <summary>
    /// The sampler, with the scheduler's levels and its limit on x̂₀: clip_sample with clip_sample_range, or thresholding with dynamic_thresholding_ratio and sample_max_value. As in diffusers the limit comes
    /// after guidance, whatever denoiser the sampler is given.
    /// </summary>
    /// <param name="steps">The number of steps, at least 1; num_inference_steps in diffusers.</param>
    /// <param name="eta">DDIM: η, at least 0; 0 by default. <c>eta</c> of <c>step</c> in diffusers.</param>
    /// <param name="useClippedModelOutput">DDIM: whether ε̂ is derived again from the limited x̂₀; false by default. <c>use_clipped_model_output</c> of <c>step</c> in diffusers.</param>
    /// <param name="churn">Euler and EDM: noise added before a step; none by default. <c>s_churn</c>, <c>s_tmin</c>, <c>s_tmax</c> and <c>s_noise</c> of <c>step</c> in diffusers. DPMSolverSDEScheduler has <c>s_noise</c> alone, the deviation of its noise.</param>
    /// <param name="mu">Flow matching with dynamic shifting: the shift for the size of the image, needed there. <c>mu</c> of <c>set_timesteps</c> in diffusers.</param>
    /// <param name="order">LMS: the number of slopes that are combined, in [1, 4]; 4 by default. <c>order</c> of <c>step</c> in diffusers.</param>
    /// <returns>The sampler.</returns>
    /// <exception cref="ArgumentException">The class has no such argument, or it is out of range; the message names it.</exception>
    public Sampler CreateSampler(int steps, double eta = 0, bool useClippedModelOutput = false, Churn? churn = null, double? mu = null, int? order = null) =>
        CreateSampler(steps, new DiffusersSamplingOptions { Eta = eta, UseClippedModelOutput = useClippedModelOutput, Churn = churn ?? Churn.None, Mu = mu, Order = order });

    /// <summary>The text of the scheduler_config.json, as it was read, in plain JSON: an infinity is a number beyond the range of doubles, NaN the text "NaN".</summary>
    /// <returns>A JSON object.</returns>
    public string ToJson() => _config.Json;

    internal Sampler CreateSampler(int steps, DiffusersSamplingOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);
        options.ThrowUnlessOf(_config.ClassName);
        return SchedulerSamplers.Create(_config, steps, options).Limiting(SchedulerSamplers.Limit(_config)).Starting(SchedulerStart.Of(_config));
    }

    /// <param name="json">The text.</param>
    /// <param name="className">The class to make of it, which counts more than the text's own; <see langword="null"/> for that one.</param>
    /// <param name="ignoredKeys">Keys that are taken as if the text did not have them.</param>
    /// <param name="noiseAtEnd">Whether DDPM uses its variance in a last step that begins above timestep 0, as in diffusers.</param>
    internal static DiffusersScheduler Parse(string json, string? className, IReadOnlyCollection<string>? ignoredKeys, bool noiseAtEnd = true)
    {
        var config = SchedulerConfig.Parse(json, className, ignoredKeys, noiseAtEnd);
        SchedulerSamplers.ThrowUnlessClass(config.ClassName);
        try
        {
            config.ThrowIfUnknownKeys();
            return new DiffusersScheduler(config);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            // Errors of schedules and samplers; and an escaped half of a surrogate pair.
            throw new InvalidDataException($"{config.ClassName}: {error.Message}", error);
        }
    }

    internal static Parameterization ReadParameterization(SchedulerConfig config)
    {
        if (config.IsFlowMatch)
        {
            return Parameterization.Flow;
        }

        if (config.ClassName is "IPNDMScheduler" or "ScoreSdeVeScheduler")
        {
            // These classes have no prediction_type.
            return config.ClassName == "IPNDMScheduler" ? Parameterization.Velocity : new ScoreParameterization();
        }

        return PredictionType(config) switch
        {
            "epsilon" => config.IsEdm ? Parameterization.Karras(config.EdmSigmas.Data) : Parameterization.Epsilon,
            "v_prediction" => config.IsEdm ? new NegatedParameterization(Parameterization.Karras(config.EdmSigmas.Data)) : Parameterization.Velocity,
            "sample" => Parameterization.Image,
            "flow_prediction" => Parameterization.Flow,
            var other => throw config.Unknown("prediction_type", other, "epsilon, sample, v_prediction, flow_prediction"),
        };
    }

    /// <summary>Of files from before version 0.10 of diffusers predict_epsilon, where it is.</summary>
    private static string PredictionType(SchedulerConfig config)
    {
        var type = config.Text("prediction_type", config.ClassName == "CosineDPMSolverMultistepScheduler" ? "v_prediction" : "epsilon");
        if (!config.Has(SchedulerKeys.PredictEpsilon))
        {
            return type;
        }

        var former = config.Flag(SchedulerKeys.PredictEpsilon) ? "epsilon" : "sample";
        return !config.Has("prediction_type") || type == former
            ? former
            : throw new InvalidDataException(
                $"{config.ClassName}: \"{SchedulerKeys.PredictEpsilon}\" is {(former == "epsilon" ? "true" : "false")}, so the network predicts {former}, and \"prediction_type\" is \"{type}\"; ignore one of them (ignoredKeys, or --ignore-key of the app).");
    }

    /// <summary>The network predicts the score, −ε/σ.</summary>
    private sealed class ScoreParameterization : Parameterization
    {
        public override string Name => "score";

        public override PredictionCoefficients At(NoiseLevel level) => new(1 / level.Alpha, level.Sigma * level.Sigma / level.Alpha, 1);
    }

    /// <summary>The network's output with the opposite sign.</summary>
    private sealed class NegatedParameterization(Parameterization inner) : Parameterization
    {
        public override string Name => $"negated {inner.Name}";

        public override PredictionCoefficients At(NoiseLevel level) => inner.At(level) with { Out = -inner.At(level).Out };
    }
}
