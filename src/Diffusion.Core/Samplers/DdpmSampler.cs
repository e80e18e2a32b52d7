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
    private const double SmallestVariance = 1e-20; // diffusers' least variance of a step

    private readonly DdpmOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for all T.</param>
    /// <param name="options">Spacing and variance.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public DdpmSampler(int? steps = null, DdpmOptions? options = null)
        : base(steps, options) => _options = options ?? new DdpmOptions();

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (image, output) = context.Predict();
        var posterior = Posterior.Between(context.From, context.To);
        var mean = StepMath.Sum((posterior.ImageWeight, image), (posterior.NoisyWeight, context.Noisy));
        var atEnd = context.To.Sigma == 0;
        if (atEnd && !(_options.NoiseAtEnd && context.From.Timestep > 0 && _options.Variance != ReverseVariance.FixedSmall))
        {
            return new StepResult(mean, image);
        }

        var noise = context.DrawNoise();
        var bounds = AncestralVariance.LogBounds(context.Denoiser.Schedule, context.From, context.To);
        bounds = atEnd ? bounds with { Small = Math.Log(SmallestVariance) } : bounds;
        using var small = Math.Sqrt(posterior.Variance).ToScalar();
        using var large = Math.Exp(bounds.Large / 2).ToScalar();
        return new StepResult(
            _options.Variance switch
            {
                ReverseVariance.FixedSmall => mean.add_(noise, alpha: small),
                ReverseVariance.FixedLarge => mean.add_(noise, alpha: large),
                _ => mean.addcmul_(AncestralVariance.Log(_options.Variance, bounds, Learned(output)).mul(Scalars.Half).exp(), noise, Scalars.One),
            },
            image);
    }

    private static Tensor Learned(Tensor? output) => output
        ?? throw new InvalidOperationException("A learned variance needs a network that returns twice the channels of its input; this one returns none for it. Choose a fixed variance.");
}
