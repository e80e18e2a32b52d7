using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// PLMS without a second evaluation in the first step: the first steps have orders 1, 2 and 3, all later ones 4. The coefficients are those of equal steps in the timestep.
/// </summary>
/// <remarks>
/// Pseudo Numerical Methods for Diffusion Models on Manifolds, arXiv:2202.09778, Eq. 12 and 13. At pure noise ε̂ is x itself and says nothing of the image, so that x̂₀ counts as 0 in that step,
/// as in diffusers' IPNDMScheduler.
/// </remarks>
internal sealed class IpndmSampler(int? steps, SamplerOptions options) : Sampler(steps, options)
{
    /// <inheritdoc/>
    protected internal override int HistoryLength => 3;

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (noisy, from, to) = (context.Noisy, context.From, context.To);
        var image = context.Denoise();
        if (from.Alpha == 0)
        {
            return new StepResult(StepMath.Sum((to.Sigma / from.Sigma, noisy)), image);
        }

        var now = StepMath.NoiseOf(noisy, image, from);
        Tensor[] past = [.. context.Past.Select(step => step.PredictedNoise())];
        var noise = past.Length switch
        {
            0 => now,
            1 => StepMath.Sum((3 / 2.0, now), (-1 / 2.0, past[0])),
            2 => StepMath.Sum((23 / 12.0, now), (-16 / 12.0, past[0]), (5 / 12.0, past[1])),
            _ => StepMath.Sum((55 / 24.0, now), (-59 / 24.0, past[0]), (37 / 24.0, past[1]), (-9 / 24.0, past[2])),
        };
        return new StepResult(StepMath.AlongNoise(noisy, noise, from, to), image);
    }
}
