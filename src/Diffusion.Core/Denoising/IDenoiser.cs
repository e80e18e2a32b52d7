using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// The contract between training and sampling: given a noisy sample and its level, the expected clean sample x̂₀.
/// Samplers know nothing else. Conditions, guidance and clipping are denoisers around a denoiser: derive those from <see cref="DelegatingDenoiser"/>.
/// </summary>
public interface IDenoiser
{
    /// <summary>The schedule whose levels the denoiser understands.</summary>
    INoiseSchedule Schedule { get; }

    /// <summary>Where the denoiser computes; noise is made there. The CPU by default.</summary>
    Device Device => CPU;

    /// <summary>The condition that is bound to the denoiser; <see cref="Condition.None"/> by default.</summary>
    Condition Condition => Condition.None;

    /// <summary>Predicts the clean sample.</summary>
    /// <param name="noisy">x_t, [B, C, H, W], at one level; not changed, not disposed.</param>
    /// <param name="level">The level of the whole batch.</param>
    /// <param name="condition">The condition of the batch; <see langword="null"/> (default) for the one that is bound to the denoiser. Guidance asks for two in one call, on a batch of twice the size (<see cref="Condition.Stack"/>).</param>
    /// <param name="estimate">The newest x̂₀ of the sampling run, the shape of <paramref name="noisy"/>, for networks with self-conditioning; <see langword="null"/> (default) where there is none yet.</param>
    /// <returns>x̂₀ and, if the network learned it, the variance; for the caller to dispose.</returns>
    Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null);
}
