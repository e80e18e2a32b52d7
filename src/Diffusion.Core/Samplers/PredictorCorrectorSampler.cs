using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Predictor–corrector sampling of score models: at every level some steps of Langevin dynamics, then the reverse diffusion to the next level. One evaluation more a step than there are
/// corrections.
/// </summary>
/// <remarks>
/// Score-Based Generative Modeling through Stochastic Differential Equations, arXiv:2011.13456, algorithms 2 and 4 (variance exploding) and appendix G. The length of a Langevin step,
/// 2·(r·‖z‖/‖s‖)², has the mean norms of the batch, as in the authors' code and in diffusers: the images depend on how many are made together.
/// </remarks>
internal sealed class PredictorCorrectorSampler : Sampler
{
    private readonly int _corrections;
    private readonly double _ratio;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1.</param>
    /// <param name="options">The spacing.</param>
    /// <param name="corrections">Langevin steps at each level, at least 0.</param>
    /// <param name="ratio">r, the signal-to-noise ratio of a Langevin step, finite and above 0.</param>
    /// <exception cref="ArgumentException">A value is out of range.</exception>
    public PredictorCorrectorSampler(int? steps, SamplerOptions options, int corrections, double ratio)
        : base(steps, options)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(corrections);
        if (!double.IsFinite(ratio) || ratio <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "The signal-to-noise ratio of a Langevin step must be a finite number above 0.");
        }

        (_corrections, _ratio) = (corrections, ratio);
    }

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (from, to) = (context.From, context.To);
        var noisy = context.Noisy;
        for (var i = 0; i < _corrections; i++)
        {
            noisy = Corrected(noisy, context);
        }

        var image = context.Denoise(noisy, from);
        var posterior = Posterior.Between(from, to);
        var mean = StepMath.Sum((posterior.ImageWeight, image), (posterior.NoisyWeight, noisy));
        var kept = to.Sigma * from.Alpha / to.Alpha;
        using var deviation = Math.Sqrt((from.Sigma * from.Sigma) - (kept * kept)).ToScalar();
        return new StepResult(to.Sigma == 0 ? mean : mean.add_(context.DrawNoise(), alpha: deviation), image);
    }

    private Tensor Corrected(Tensor noisy, StepContext context)
    {
        var level = context.From;
        var variance = level.Sigma * level.Sigma;
        var score = StepMath.Sum((level.Alpha / variance, context.Denoise(noisy, level)), (-1 / variance, noisy));
        var noise = context.DrawNoise();
        using var factor = (2 * _ratio * _ratio).ToScalar();
        using var two = 2.ToScalar();
        var ratio = Norm(noise) / Norm(score);
        var length = (ratio * ratio).mul(factor);
        return noisy.addcmul(length, score, Scalars.One).addcmul_(length.mul(two).sqrt(), noise, Scalars.One);
    }

    private static Tensor Norm(Tensor images) => (images * images).sum([1, 2, 3]).sqrt().mean();
}
