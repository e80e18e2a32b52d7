using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Ancestral sampling: at each step x is drawn from the posterior around the predicted image, over all timesteps or a subset.</summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, algorithm 2, with the posterior variance β̃_t unless another is chosen.
/// On a subset of the steps the variances are those between the visited levels (Improved DDPM, arXiv:2102.09672, section 4).
/// </remarks>
public sealed class DdpmSampler : Sampler
{
    private readonly ReverseVariance _variance;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps; <see langword="null"/> (default) for all T.</param>
    /// <param name="spacing">Where the steps lie; trailing by default.</param>
    /// <param name="variance">The variance of a step; the posterior's by default. The learned kinds need a network with twice the channels.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public DdpmSampler(
        int? steps = null, StepSpacing? spacing = null, ReverseVariance variance = ReverseVariance.FixedSmall)
        : base(steps, spacing)
    {
        _variance = Enum.IsDefined(variance) ? variance : throw new ArgumentOutOfRangeException(nameof(variance), variance, "Not a kind of variance.");
    }

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (image, output) = context.Predict();
        var posterior = Posterior.Between(context.From, context.To);
        var mean = StepMath.Sum((posterior.ImageWeight, image), (posterior.NoisyWeight, context.Noisy));
        if (context.To.Sigma == 0)
        {
            return new StepResult(mean, image);
        }

        var noise = context.DrawNoise();
        var bounds = AncestralVariance.LogBounds(context.Denoiser.Schedule, context.From, context.To);
        using var small = Math.Sqrt(posterior.Variance).ToScalar();
        using var large = Math.Exp(bounds.Large / 2).ToScalar();
        return new StepResult(
            _variance switch
            {
                ReverseVariance.FixedSmall => mean.add_(noise, alpha: small),
                ReverseVariance.FixedLarge => mean.add_(noise, alpha: large),
                _ => mean.addcmul_(AncestralVariance.Log(_variance, bounds, Learned(output)).mul(Scalars.Half).exp(), noise, Scalars.One),
            },
            image);
    }

    private static Tensor Learned(Tensor? output) => output
        ?? throw new InvalidOperationException("A learned variance needs a network that returns twice the channels of its input; this one returns none for it. Choose a fixed variance.");
}
