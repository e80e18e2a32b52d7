using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The reverse process: from a noisy image and the network's noise prediction to a less noisy image.</summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, algorithm 2 and Eq. 7, with the posterior variance
/// β̃_t = β_t·(1 − ᾱ_{t−1})/(1 − ᾱ_t).
/// </remarks>
internal static class ReverseProcess
{
    /// <summary>One step, x_t → x_{t−1}. At timestep 0 the result is the mean, without noise.</summary>
    /// <param name="schedule">The schedule the network was trained with.</param>
    /// <param name="noisy">x_t, floating point, [B, …].</param>
    /// <param name="predictedNoise">The network's prediction of ε, the shape of <paramref name="noisy"/>.</param>
    /// <param name="timestep">t, in [0, T).</param>
    /// <param name="noise">Fresh standard normal noise z, the shape of <paramref name="noisy"/>; not read at timestep 0, where it may be <see langword="null"/>.</param>
    /// <param name="limit">What is done to x̂₀; nothing by default, <see cref="ImageLimit.Clip"/> in the DDPM authors' code.</param>
    /// <returns>x_{t−1} and x̂₀, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The shapes differ, or there is no noise at a timestep above 0.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The timestep is outside [0, T).</exception>
    public static ReverseStep Reverse(
        this INoiseSchedule schedule, Tensor noisy, Tensor predictedNoise, int timestep, Tensor? noise, ImageLimit? limit = null)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        ArgumentNullException.ThrowIfNull(noisy);
        ArgumentNullException.ThrowIfNull(predictedNoise);
        Guard.SameShape(noisy, predictedNoise);
        var from = schedule.LevelAt(timestep);
        var to = timestep == 0 ? NoiseLevel.Clean : schedule.LevelAt(timestep - 1);
        using var scope = NewDisposeScope();
        var image = (limit ?? ImageLimit.None).Apply(Parameterization.Epsilon.ToImage(noisy, predictedNoise, [from]));
        return new ReverseStep(Ancestral(noisy, image, from, to, noise).MoveToOuterDisposeScope(), image.MoveToOuterDisposeScope());
    }

    /// <summary>Draws from the posterior between two levels: mean + √variance·noise.</summary>
    internal static Tensor Ancestral(Tensor noisy, Tensor image, NoiseLevel from, NoiseLevel to, Tensor? noise)
    {
        var posterior = Posterior.Between(from, to);
        using var scope = NewDisposeScope();
        using var imageWeight = posterior.ImageWeight.ToScalar();
        using var noisyWeight = posterior.NoisyWeight.ToScalar();
        using var deviation = Math.Sqrt(posterior.Variance).ToScalar();
        var previous = (image * imageWeight).add_(noisy, alpha: noisyWeight);
        if (posterior.Variance > 0)
        {
            if (noise is null)
            {
                throw new ArgumentException(FormattableString.Invariant($"The step from timestep {from.Timestep} adds noise; noise is null."), nameof(noise));
            }

            Guard.SameShape(noisy, noise);
            previous.add_(noise, alpha: deviation);
        }

        return previous.MoveToOuterDisposeScope();
    }
}
