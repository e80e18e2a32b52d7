using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Denoisers around denoisers, written one after the other: <c>trainer.Ema.With(3).Guided(2).Limited(ImageLimit.Clip())</c>.</summary>
public static class DenoiserExtensions
{
    /// <summary>Predicts the clean sample alone.</summary>
    /// <param name="denoiser">The denoiser.</param>
    /// <param name="noisy">x_t, [B, C, H, W], at one level; not changed, not disposed.</param>
    /// <param name="level">The level of the whole batch.</param>
    /// <returns>x̂₀, the shape of <paramref name="noisy"/>, for the caller to dispose.</returns>
    public static Tensor Denoise(this IDenoiser denoiser, Tensor noisy, NoiseLevel level)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        var prediction = denoiser.Predict(noisy, level);
        prediction.Variance?.Dispose();
        prediction.Unlimited?.Dispose();
        return prediction.Image;
    }

    /// <summary>Binds a condition: <c>denoiser.With(Condition.OfContext(text))</c>.</summary>
    /// <param name="denoiser">A denoiser whose network takes it.</param>
    /// <param name="condition">The condition; added to the one that is bound already (<see cref="Condition.And"/>).</param>
    /// <returns>The denoiser with this condition.</returns>
    public static IDenoiser With(this IDenoiser denoiser, Condition condition)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        ArgumentNullException.ThrowIfNull(condition);
        return new ConditionedDenoiser(denoiser, denoiser.Condition.And(condition));
    }

    /// <summary>Binds class labels.</summary>
    /// <param name="denoiser">A denoiser whose network takes labels.</param>
    /// <param name="labels">One label a sample, each at least 0; one label alone serves a batch of any size.</param>
    /// <returns>The denoiser of samples with these labels.</returns>
    /// <exception cref="ArgumentException">There is no label, or one is negative.</exception>
    public static IDenoiser With(this IDenoiser denoiser, params ReadOnlySpan<long> labels) => denoiser.With(Condition.OfLabels(labels));

    /// <summary>Limits x̂₀, for example by clipping it to [−1, 1]: <c>Limited(ImageLimit.Clip())</c>. This is the one place for it; samplers do not clip.</summary>
    /// <param name="denoiser">The denoiser.</param>
    /// <param name="limit">What is done to x̂₀.</param>
    /// <returns>The limited denoiser.</returns>
    public static IDenoiser Limited(this IDenoiser denoiser, ImageLimit limit)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        ArgumentNullException.ThrowIfNull(limit);
        return limit == ImageLimit.None ? denoiser : new LimitedDenoiser(denoiser, limit);
    }

    /// <summary>Runs the network in a precision: <c>trainer.Ema.In(ComputePrecision.BFloat16)</c>. Without it denoisers compute in float32, in whatever precision their network was trained.</summary>
    /// <param name="denoiser">The denoiser, with all that is around it, or without.</param>
    /// <param name="precision">The precision of the networks of Diffusion.Models. Samples stay in the type that they are given in. On a CPU that cannot use bfloat16 (<see cref="DiffusionRuntime.UsesBFloat16"/>) networks compute in float32 either way.</param>
    /// <returns>The denoiser in this precision.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such precision.</exception>
    public static IDenoiser In(this IDenoiser denoiser, ComputePrecision precision)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        return Enum.IsDefined(precision)
            ? new PrecisionDenoiser(denoiser, precision)
            : throw new ArgumentOutOfRangeException(nameof(precision), precision, "There is no such precision.");
    }

    /// <summary>Classifier-free guidance by a scale alone: <c>trainer.Ema.With(3).Guided(2)</c>.</summary>
    /// <inheritdoc cref="Guided(IDenoiser, GuidanceOptions, Condition?)" path="/remarks|/returns|/exception"/>
    /// <param name="denoiser">A denoiser with a condition.</param>
    /// <param name="scale">A finite number: 1 for no guidance, above 1 for guidance.</param>
    public static IDenoiser Guided(this IDenoiser denoiser, double scale) => denoiser.Guided(new GuidanceOptions { Scale = scale });

    /// <summary>
    /// Classifier-free guidance: x̂₀ = unconditional + scale·(conditional − unconditional). The network is called once, on a batch of twice the size; at scale 1, and outside of
    /// the interval, only for the conditional half, at scale 0 only for the other.
    /// </summary>
    /// <remarks>
    /// Classifier-Free Diffusion Guidance, arXiv:2207.12598, Eq. 6, whose weight w is scale − 1. The paper writes it for ε; since ε is x̂₀ times a scalar plus x_t times a scalar, it is
    /// the same for x̂₀ and for every parameterization.
    /// </remarks>
    /// <param name="denoiser">A denoiser with a condition (<see cref="With(IDenoiser, Condition)"/>).</param>
    /// <param name="options">How far, where, and what is done against oversaturation.</param>
    /// <param name="negative">The condition of the other half, such as a negative prompt, whole: nothing of the one that is bound is added to it. The network's null condition by default.</param>
    /// <returns>The guided denoiser.</returns>
    /// <exception cref="ArgumentException">The scale is not finite, or another option has a mistake.</exception>
    public static IDenoiser Guided(this IDenoiser denoiser, GuidanceOptions options, Condition? negative = null) =>
        new GuidedDenoiser(denoiser, null, negative ?? Condition.None, options);

    /// <summary>Autoguidance by a scale alone: <c>strong.AutoGuided(weak, 2)</c>.</summary>
    /// <inheritdoc cref="AutoGuided(IDenoiser, IDenoiser, GuidanceOptions)" path="/remarks|/returns|/exception"/>
    /// <param name="denoiser">The denoiser to improve.</param>
    /// <param name="weaker">A worse one of the same schedule; it may predict in another parameterization.</param>
    /// <param name="scale">A finite number: 1 for no guidance, above 1 for guidance.</param>
    public static IDenoiser AutoGuided(this IDenoiser denoiser, IDenoiser weaker, double scale) => denoiser.AutoGuided(weaker, new GuidanceOptions { Scale = scale });

    /// <summary>
    /// Guidance by a weaker version of the same denoiser, smaller or trained for less time: x̂₀ = weaker + scale·(denoiser − weaker). A condition around
    /// it, <c>strong.AutoGuided(weak, 2).With(3)</c>, is for both denoisers; one that is bound to a denoiser is for that one alone. The weaker one may be a network without labels: classifier-free guidance with two networks.
    /// </summary>
    /// <remarks>Guiding a Diffusion Model with a Bad Version of Itself, arXiv:2406.02507, whose w is the scale.</remarks>
    /// <param name="denoiser">The denoiser to improve.</param>
    /// <param name="weaker">A worse one of the same schedule; it may predict in another parameterization.</param>
    /// <param name="options">How far, where, and what is done against oversaturation.</param>
    /// <returns>The guided denoiser.</returns>
    /// <exception cref="ArgumentException">The options have mistakes, or the schedules differ.</exception>
    public static IDenoiser AutoGuided(this IDenoiser denoiser, IDenoiser weaker, GuidanceOptions options)
    {
        ArgumentNullException.ThrowIfNull(weaker);
        return new GuidedDenoiser(denoiser, weaker, Condition.None, options);
    }

    /// <summary>Classifier guidance: the score of the denoiser plus scale times that of a classifier, which moves x̂₀ by σ²/α·scale·∇ln p(y | x_t).</summary>
    /// <remarks>
    /// Diffusion Models Beat GANs on Image Synthesis, arXiv:2105.05233, algorithm 2 (ε̂ ← ε − √(1 − ᾱ)·∇ln p(y | x_t)), for any levels and any
    /// sampler. Algorithm 1, which moves the mean of an ancestral step by its variance instead, belongs to the step and not to the denoiser.
    /// At α = 0 nothing of the image is in x_t, the classifier can say nothing, and x̂₀ stays as it is.
    /// Clipping before the guidance, <c>denoiser.Limited(ImageLimit.Clip()).ClassifierGuided(…)</c>, is what the paper's code does; the
    /// guided image may then leave the range again.
    /// </remarks>
    /// <param name="denoiser">The denoiser.</param>
    /// <param name="classifier">Trained on noisy images: takes x_t [B, C, H, W] and timesteps [B] and returns logits [B, classes]; the caller keeps owning it. Run in evaluation mode; its own gradients are not touched.</param>
    /// <param name="labels">y: one class an image, in [0, classes); one label alone serves a batch of any size.</param>
    /// <param name="scale">A finite number, 1 by default: the power of p(y | x_t). At 0 the classifier is not asked.</param>
    /// <returns>The guided denoiser.</returns>
    /// <exception cref="ArgumentException">There is no label, or one is negative.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The scale is not finite.</exception>
    public static IDenoiser ClassifierGuided(this IDenoiser denoiser, nn.Module<Tensor, Tensor, Tensor> classifier, ReadOnlySpan<long> labels, double scale = 1) =>
        denoiser.ClassifierGuided(ClassifierGradients.Of(classifier, labels), scale);

    /// <summary>Guidance by a gradient of your own: that of a classifier, of a similarity with a text, of a distance.</summary>
    /// <inheritdoc cref="ClassifierGuided(IDenoiser, nn.Module{Tensor, Tensor, Tensor}, ReadOnlySpan{long}, double)" path="/remarks|/returns"/>
    /// <param name="denoiser">The denoiser.</param>
    /// <param name="gradient">∇ln p(y | x_t), of the shape of x_t [B, C, H, W], for the caller to dispose, given x_t, which it neither changes nor disposes, and its level.</param>
    /// <param name="scale">A finite number: the power of p(y | x_t). At 0 the gradient is not asked for.</param>
    /// <exception cref="ArgumentOutOfRangeException">The scale is not finite.</exception>
    public static IDenoiser ClassifierGuided(this IDenoiser denoiser, Func<Tensor, NoiseLevel, Tensor> gradient, double scale)
    {
        ArgumentNullException.ThrowIfNull(gradient);
        return double.IsFinite(scale)
            ? new ClassifierGuidedDenoiser(denoiser, gradient, scale)
            : throw new ArgumentOutOfRangeException(nameof(scale), scale, "The scale must be a finite number.");
    }
}
