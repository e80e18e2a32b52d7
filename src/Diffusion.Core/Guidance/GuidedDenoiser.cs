using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Classifier-free guidance, x̂₀ = negative + scale·(conditional − negative), and guidance by a weaker denoiser, the same with the weaker one's x̂₀ in place of the negative one.
/// </summary>
internal sealed class GuidedDenoiser : DelegatingDenoiser
{
    private readonly IDenoiser? _weaker;
    private readonly Condition _negative;
    private readonly GuidanceOptions _options;

    /// <param name="inner">The denoiser to improve.</param>
    /// <param name="weaker">A worse one; <see langword="null"/> for the same with the negative condition.</param>
    /// <param name="negative">What to guide away from.</param>
    /// <param name="options">How far, where, and what is done against oversaturation.</param>
    public GuidedDenoiser(IDenoiser inner, IDenoiser? weaker, Condition negative, GuidanceOptions options)
        : base(inner)
    {
        options.ThrowIfInvalid();
        if (weaker is not null)
        {
            CheckSchedules(inner, weaker);
        }

        (_weaker, _negative, _options) = (weaker, negative, options);
    }

    /// <remarks>The variance is that of the conditional prediction; at scale 0, where it is not asked, that of the other.</remarks>
    public override Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        if (_options.Scale == 1 || !_options.Includes(level))
        {
            return Inner.Predict(noisy, level, condition, estimate);
        }

        var wanted = condition ?? Condition;
        var (better, worse) = _weaker is null ? (wanted, Negative(wanted)) : (condition, condition);
        if (_options is { Scale: 0, Rescale: 0, Eta: 1 })
        {
            return (_weaker ?? Inner).Predict(noisy, level, worse, estimate);
        }

        if (_weaker is null && wanted.Parts.All(part => part.Labels is null && part.Context is null))
        {
            throw new InvalidOperationException("Classifier-free guidance needs a condition to guide to, and none is bound: denoiser.With(labels).Guided(scale).");
        }

        using var noGradients = InputGradients.Off();
        using var scope = NewDisposeScope();
        var (own, other) = _weaker is null
            ? Both(noisy, level, better!, worse!, estimate)
            : (Inner.Predict(noisy, level, better, estimate), _weaker.Predict(noisy, level, worse, estimate));
        return new Prediction(
            GuidedImage.Combine(own.Image, other.Image, _options, noisy, level).MoveToOuterDisposeScope(), own.Variance?.MoveToOuterDisposeScope());
    }

    internal override bool? UsesEstimate => (base.UsesEstimate, _weaker is null ? false : DenoiserRun.UsesEstimate(_weaker)) switch
    {
        (true, _) or (_, true) => true,
        (false, false) => false,
        _ => null,
    };

    internal override string? NoLikelihood => base.NoLikelihood ?? (_weaker is null ? null : DenoiserRun.NoLikelihood(_weaker));

    /// <summary>A weaker denoiser may be the same network with other weights, which then take turns: nothing is kept.</summary>
    internal override IDisposable? KeepWeights() => _weaker is null ? base.KeepWeights() : null;

    /// <summary>The negative condition of each part: guidance around guidance asks for parts already.</summary>
    private Condition Negative(Condition better) => Condition.Stack([.. Enumerable.Repeat(_negative, better.Parts.Count)]);

    /// <summary>Both predictions from one call, on a batch of twice the size.</summary>
    private (Prediction Own, Prediction Other) Both(Tensor noisy, NoiseLevel level, Condition better, Condition worse, Tensor? estimate)
    {
        var pair = Inner.Predict(cat([noisy, noisy]), level, Condition.Stack(better, worse), estimate is null ? null : cat([estimate, estimate])); // [B, …] → [2·B, …]
        var count = noisy.shape[0];
        return (pair.Rows(0, count), pair.Rows(count, count));
    }

    private static void CheckSchedules(IDenoiser denoiser, IDenoiser weaker)
    {
        var (one, two) = (denoiser.Schedule, weaker.Schedule);
        if (!ReferenceEquals(one, two)
            && (one.Timesteps != two.Timesteps || one.LevelAt(0) != two.LevelAt(0) || one.LevelAt(one.Timesteps - 1) != two.LevelAt(two.Timesteps - 1)))
        {
            throw new ArgumentException(
                FormattableString.Invariant($"Both denoisers must have the same schedule; one has {one.Timesteps} timesteps up to σ/α {one.LevelAt(one.Timesteps - 1).Ratio:g6}, the other {two.Timesteps} up to {two.LevelAt(two.Timesteps - 1).Ratio:g6}."),
                nameof(weaker));
        }
    }
}
