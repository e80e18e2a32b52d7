namespace Diffusion.Configuration;

/// <summary>What the network is trained for: <see cref="TrainingObjective"/> by the names of its parts.</summary>
public sealed record ObjectiveOptions : IValidatedOptions
{
    private const string HuberName = "huber";
    private const double MaxLossParameter = 1e6;

    private static readonly Dictionary<string, Func<ObjectiveOptions, LossFunction>> s_losses = new(StringComparer.OrdinalIgnoreCase)
    {
        ["mse"] = _ => LossFunction.Mse,
        ["l1"] = _ => LossFunction.L1,
        [HuberName] = options => options.HuberDelta is { } delta ? LossFunction.Huber(delta) : LossFunction.Huber(),
    };

    private static readonly Dictionary<string, Func<ObjectiveOptions, LossWeighting>> s_weightings = new(StringComparer.OrdinalIgnoreCase)
    {
        ["uniform"] = _ => LossWeighting.Uniform,
        ["snr"] = _ => LossWeighting.Snr,
        ["min-snr"] = options => options.Gamma is { } gamma ? LossWeighting.MinSnr(gamma) : LossWeighting.MinSnr(),
        ["soft-min-snr"] = options => options.Gamma is { } gamma ? LossWeighting.SoftMinSnr(gamma) : LossWeighting.SoftMinSnr(),
        ["p2"] = _ => LossWeighting.P2(),
        ["edm"] = _ => LossWeighting.Edm(),
    };

    private static readonly Dictionary<string, TimestepDistribution> s_timesteps = new TimestepDistribution[]
    {
        TimestepDistribution.Uniform, TimestepDistribution.Stratified, TimestepDistribution.LogitNormal(), TimestepDistribution.LossSecondMoment(),
        SigmaDensity.LogNormal(), SigmaDensity.LogLogistic(), SigmaDensity.LogUniform(), SigmaDensity.VelocityDiffusion(),
    }.ToDictionary(distribution => distribution.Name, StringComparer.OrdinalIgnoreCase);

    private static readonly string[] s_withGamma = ["min-snr", "soft-min-snr"];

    /// <summary>How far a prediction is from its target: <c>mse</c> (default), <c>l1</c> or <c>huber</c>.</summary>
    public string Loss { get; init; } = "mse";

    /// <summary>δ of <c>huber</c>, above 0; <see langword="null"/> (default) for 1. For no other loss.</summary>
    public double? HuberDelta { get; init; }

    /// <summary>How much each noise level counts: <c>uniform</c> (default), <c>snr</c>, <c>min-snr</c>, <c>soft-min-snr</c>, <c>p2</c> or <c>edm</c>.</summary>
    public string Weighting { get; init; } = "uniform";

    /// <summary>γ of <c>min-snr</c> and <c>soft-min-snr</c>, above 0; <see langword="null"/> (default) for 5 and 4. For no other weighting.</summary>
    public double? Gamma { get; init; }

    /// <summary>Which noise levels are trained, by the name of a <see cref="TimestepDistribution"/>; <c>uniform</c> by default.</summary>
    public string Timesteps { get; init; } = TimestepDistribution.Uniform.Name;

    /// <summary>The standard deviation of a constant added to the noise of each channel of each image, at least 0; 0 by default.</summary>
    public double OffsetNoise { get; init; }

    /// <summary>Whether each image is given the noise of the batch that lies near it; off by default.</summary>
    public bool Immiscible { get; init; }

    /// <summary>The share of batches, in [0, 1], in which the network sees its own estimate; <see langword="null"/> (default) for a network without. It takes twice the channels by itself.</summary>
    public double? SelfConditioning { get; init; }

    /// <summary>λ, above 0, of the variational term that trains a learned variance beside the loss, 0.001 in the paper; <see langword="null"/> (default) for a fixed variance. The network gives twice the channels by itself.</summary>
    public double? LearnedVariance { get; init; }

    /// <summary>For a class-conditional network: the share of images, in [0, 1), that are trained without their label; <see langword="null"/> (default) for 0.1.</summary>
    public double? ConditionDropout { get; init; }

    /// <summary>The objective.</summary>
    /// <returns>The objective of these names and numbers.</returns>
    public TrainingObjective Create() => new()
    {
        Loss = s_losses[Loss](this),
        Weighting = s_weightings[Weighting](this),
        Timesteps = s_timesteps[Timesteps],
        OffsetNoise = OffsetNoise,
        Immiscible = Immiscible,
        SelfConditioning = SelfConditioning,
        ConditionDropout = ConditionDropout,
        Variational = LearnedVariance is { } weight ? VariationalTerm.Hybrid(weight: weight) : null,
    };

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. NamedChoice.Errors(Loss, nameof(Loss), s_losses.Keys),
        .. NamedChoice.Errors(Weighting, nameof(Weighting), s_weightings.Keys),
        .. NamedChoice.Errors(Timesteps, nameof(Timesteps), s_timesteps.Keys),
        .. OptionsValidation.Range(HuberDelta ?? 1, nameof(HuberDelta), 1e-6, MaxLossParameter),
        .. OptionsValidation.Range(Gamma ?? 1, nameof(Gamma), 1e-6, MaxLossParameter),
        .. OptionsValidation.Range(OffsetNoise, nameof(OffsetNoise), 0.0),
        .. OptionsValidation.Range(SelfConditioning ?? 0, nameof(SelfConditioning), 0, 1.0),
        .. OptionsValidation.Range(LearnedVariance ?? 1, nameof(LearnedVariance), 1e-9, MaxLossParameter),
        .. OptionsValidation.Range(ConditionDropout ?? 0, nameof(ConditionDropout), 0, 0.999999),
        .. HuberDelta is not null && !NamedChoice.Same(Loss, HuberName) ? [new OptionsError(nameof(HuberDelta), $"is for the loss {HuberName}, which is '{Loss}'.")] : Array.Empty<OptionsError>(),
        .. Gamma is not null && NamedChoice.Find(Weighting, s_withGamma) is null ? [new OptionsError(nameof(Gamma), $"is for the weightings {string.Join(" and ", s_withGamma)}, which is '{Weighting}'.")] : Array.Empty<OptionsError>(),
    ];
}
