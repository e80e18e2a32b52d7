using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// A denoiser around a denoiser. Derive from it and override <see cref="Predict"/>: all else (schedule, device, condition, variance, self-conditioning, one call
/// for both conditions of guidance, weights prepared once a run) is that of the inner denoiser.
/// </summary>
/// <remarks>
/// Guidance around it calls it with a batch of several equal parts, one for each of <see cref="Condition.Parts"/>. A denoiser that has a tensor for each sample repeats it for every part.
/// </remarks>
public abstract class DelegatingDenoiser : IDenoiser
{
    /// <summary>Wraps a denoiser.</summary>
    /// <param name="inner">The denoiser.</param>
    protected DelegatingDenoiser(IDenoiser inner)
    {
        ArgumentNullException.ThrowIfNull(inner);
        Inner = inner;
    }

    /// <inheritdoc/>
    public INoiseSchedule Schedule => Inner.Schedule;

    /// <inheritdoc/>
    public Device Device => Inner.Device;

    /// <inheritdoc/>
    public virtual Condition Condition => Inner.Condition;

    /// <summary>What is wrapped.</summary>
    protected IDenoiser Inner { get; }

    /// <inheritdoc/>
    public virtual Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null) =>
        Inner.Predict(noisy, level, condition, estimate);

    /// <summary>Whether the network uses an estimate; <see langword="null"/> where only the inner denoiser knows.</summary>
    internal virtual bool? UsesEstimate => DenoiserRun.UsesEstimate(Inner);

    /// <summary>Why there is no exact likelihood under the denoiser: what is done to the x̂₀ of the network; <see langword="null"/> where nothing is in the way.</summary>
    internal virtual string? NoLikelihood => DenoiserRun.NoLikelihood(Inner);

    /// <summary>What the network predicts; <see langword="null"/> where only the denoiser knows.</summary>
    internal virtual Parameterization? Parameterization => DenoiserRun.Parameterization(Inner);

    /// <summary>An image within the limits on x̂₀.</summary>
    internal virtual Tensor LimitImage(Tensor image) => DenoiserRun.LimitImage(Inner, image);

    /// <summary>Keeps the weights that the network is run with in place until the result is disposed; <see langword="null"/> if there is nothing to keep.</summary>
    internal virtual IDisposable? KeepWeights() => DenoiserRun.KeepWeights(Inner);
}
