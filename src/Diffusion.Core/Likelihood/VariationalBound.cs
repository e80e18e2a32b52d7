using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The variational bound on −log₂ of the likelihood of images, term by term, in bits per dimension (channel and pixel). Immutable.</summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, Eq. 5: prior, one divergence for each timestep above 0, and the discretised decoder at
/// timestep 0. Learned variances: Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, Eq. 15. As in the code of its authors, the
/// variance at timestep 0 is that of the posterior at timestep 1 where β̃₀ = 0 would be used, and with <see cref="ReverseVariance.FixedLarge"/> too.
/// </remarks>
public sealed class VariationalBound
{
    private readonly (NoiseLevel Level, Posterior Posterior, (double Small, double Large) LogVariance)[] _steps;
    private readonly ReverseVariance _variance;

    /// <summary>The bound for a schedule.</summary>
    /// <param name="schedule">At least 2 timesteps.</param>
    /// <param name="variance">The variance of the reverse steps.</param>
    /// <exception cref="ArgumentException">The schedule has one timestep only.</exception>
    internal VariationalBound(INoiseSchedule schedule, ReverseVariance variance = ReverseVariance.FixedSmall)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        if (schedule.Timesteps < 2)
        {
            throw new ArgumentException($"The variational bound needs at least 2 timesteps; the schedule has {schedule.Timesteps}.", nameof(schedule));
        }

        (Schedule, _variance) = (schedule, variance);
        _steps = [.. Enumerable.Range(0, schedule.Timesteps).Select(t =>
        {
            var (level, before) = (schedule.LevelAt(t), t == 0 ? NoiseLevel.Clean : schedule.LevelAt(t - 1));
            return (level, Posterior.Between(level, before), AncestralVariance.LogBounds(schedule, level, before));
        })];
    }

    /// <summary>The schedule.</summary>
    internal INoiseSchedule Schedule { get; }

    /// <summary>The whole bound of a batch: one evaluation of the denoiser for each timestep, from the noisiest down.</summary>
    /// <param name="denoiser">The trained network; limited to the range of images in the code of the bound's authors: <c>denoiser.Limited(ImageLimit.Clip())</c>.</param>
    /// <param name="images">x₀, 8-bit values in [−1, 1], [B, C, H, W].</param>
    /// <param name="noise">One draw for each timestep, from the noisiest down.</param>
    /// <param name="variance">The variance of the reverse steps.</param>
    /// <param name="cancellationToken">Checked before every timestep.</param>
    /// <returns>Bits per dimension.</returns>
    /// <exception cref="InvalidOperationException">The variance is learned and the denoiser predicts none.</exception>
    /// <exception cref="OperationCanceledException">The evaluation was cancelled.</exception>
    public static LikelihoodReport BitsPerDimension(
        IDenoiser denoiser,
        Tensor images,
        NoiseSource noise,
        ReverseVariance variance = ReverseVariance.FixedSmall,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        return BitsPerDimension(denoiser, images, noise, variance, [.. Enumerable.Range(0, denoiser.Schedule.Timesteps).Select(t => (t, 1))], cancellationToken);
    }

    /// <summary>The bound of a batch from some of its timesteps, each standing for several: one evaluation of the denoiser for each of them, from the noisiest down.</summary>
    /// <param name="denoiser">As of the whole bound.</param>
    /// <param name="images">As of the whole bound.</param>
    /// <param name="noise">One draw for each of these timesteps, from the noisiest down.</param>
    /// <param name="variance">The variance of the reverse steps.</param>
    /// <param name="timesteps">Increasing, each in [0, T), and how many terms each stands for.</param>
    /// <param name="cancellationToken">Checked before every timestep.</param>
    /// <returns>Bits per dimension; the columns are those of the timesteps.</returns>
    internal static LikelihoodReport BitsPerDimension(
        IDenoiser denoiser,
        Tensor images,
        NoiseSource noise,
        ReverseVariance variance,
        IReadOnlyList<(int Timestep, int Weight)> timesteps,
        CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(noise);
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var bound = new VariationalBound(denoiser.Schedule, variance);
        var columns = (Terms: new Tensor[timesteps.Count], Images: new Tensor[timesteps.Count], Noise: new Tensor[timesteps.Count]);
        for (var column = timesteps.Count - 1; column >= 0; column--)
        {
            cancellationToken.ThrowIfCancellationRequested();
            using var step = NewDisposeScope();
            var t = timesteps[column].Timestep;
            var level = bound._steps[t].Level;
            var drawn = noise.Draw(images.shape, images.device);
            var noisy = ForwardProcess.AddNoise(images, drawn, [level]);
            // With self-conditioning the network sees its own estimate, as where the loss is evaluated.
            using var estimate = DenoiserRun.UsesEstimate(denoiser) == true ? denoiser.Denoise(noisy, level) : null;
            using var prediction = denoiser.Predict(noisy, level, estimate: estimate);
            using var reverse = bound.Reverse(noisy, prediction, [t]);
            using var alpha = level.Alpha.ToScalar();
            using var sigma = level.Sigma.ToScalar();
            var implied = (noisy - (reverse.Image * alpha)) / sigma;
            columns.Terms[column] = bound.Term(images, noisy, reverse, [t]).MoveToOuterDisposeScope();
            columns.Images[column] = PerImage.Mean((reverse.Image - images).pow(Scalars.Two)).MoveToOuterDisposeScope();
            columns.Noise[column] = PerImage.Mean((implied - drawn).pow(Scalars.Two)).MoveToOuterDisposeScope();
        }

        var report = new LikelihoodReport(bound.Prior(images), stack(columns.Terms, 1), [.. timesteps.Select(each => each.Weight)], stack(columns.Images, 1), stack(columns.Noise, 1));
        foreach (var tensor in new[] { report.Total, report.Prior, report.Terms, report.ImageErrors, report.NoiseErrors })
        {
            tensor.MoveToOuterDisposeScope();
        }

        return report;
    }

    /// <summary>p(x_{t−1} | x_t).</summary>
    /// <param name="noisy">x_t, [B, …].</param>
    /// <param name="prediction">x̂₀ and, where it is learned, the output for the variance.</param>
    /// <param name="timesteps">One an image, or one for the batch; each in [0, T).</param>
    /// <returns>Mean, variance and x̂₀, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">Shapes or numbers do not fit together.</exception>
    /// <exception cref="InvalidOperationException">The variance is learned and the prediction has none.</exception>
    internal ReverseDistribution Reverse(Tensor noisy, Prediction prediction, IReadOnlyList<int> timesteps)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        Guard.SameShape(noisy, prediction.Image);
        Check(noisy, timesteps);
        using var scope = NewDisposeScope();
        var mean = PosteriorMean(prediction.Image, noisy, timesteps);
        var logVariance = LogVariance(noisy, prediction.Variance, timesteps);
        return new(mean.MoveToOuterDisposeScope(), logVariance.MoveToOuterDisposeScope(), prediction.Image.alias().MoveToOuterDisposeScope());
    }

    /// <summary>One term of the bound for each image: the divergence of the posterior from the model, at timestep 0 the decoder's −log₂ likelihood.</summary>
    /// <param name="images">x₀, [B, …], 8-bit values in [−1, 1] where the timestep is 0.</param>
    /// <param name="noisy">x_t, [B, …].</param>
    /// <param name="prediction">x̂₀ and, where it is learned, the output for the variance.</param>
    /// <param name="timesteps">One an image, or one for the batch; each in [0, T).</param>
    /// <returns>Bits per dimension, [B], for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">Shapes or numbers do not fit together.</exception>
    /// <exception cref="InvalidOperationException">The variance is learned and the prediction has none.</exception>
    internal Tensor Terms(Tensor images, Tensor noisy, Prediction prediction, IReadOnlyList<int> timesteps)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentNullException.ThrowIfNull(noisy);
        Guard.SameShape(noisy, images);
        using var reverse = Reverse(noisy, prediction, timesteps);
        return Term(images, noisy, reverse, timesteps);
    }

    /// <summary>The divergence of the last level of an image from pure noise: it does not depend on the network.</summary>
    /// <param name="images">x₀, [B, …].</param>
    /// <returns>Bits per dimension, [B], for the caller to dispose.</returns>
    internal Tensor Prior(Tensor images)
    {
        ArgumentNullException.ThrowIfNull(images);
        using var scope = NewDisposeScope();
        // Pure noise has the variance α² + σ². The part without the image is a number of double precision: in single precision it would cancel.
        var level = _steps[^1].Level;
        var (signal, share) = (level.Alpha / level.Scale, level.Sigma / level.Scale);
        using var constant = (0.5 * ((share * share) - 1 - (2 * Math.Log(share)))).ToScalar();
        using var factor = (0.5 * signal * signal).ToScalar();
        using var bit = Math.Log(2).ToScalar();
        return ((PerImage.Mean(images.pow(Scalars.Two)) * factor).Plus(constant) / bit).MoveToOuterDisposeScope();
    }

    private Tensor Term(Tensor images, Tensor noisy, ReverseDistribution reverse, IReadOnlyList<int> timesteps)
    {
        using var scope = NewDisposeScope();
        var decoded = timesteps.Count(t => t == 0);
        var decoder = decoded == 0 ? null : PerImage.Mean(GaussianLikelihood.DiscretizedLog(images, reverse.Mean, reverse.LogVariance * Scalars.Half)).neg();
        var divergence = decoded == timesteps.Count
            ? null
            : PerImage.Mean(GaussianLikelihood.Divergence(
                PosteriorMean(images, noisy, timesteps), Values(images, timesteps, t => _steps[t].LogVariance.Small), reverse.Mean, reverse.LogVariance));
        var term = decoder is null ? divergence! : divergence is null ? decoder : where(Values(decoder, timesteps, t => t == 0 ? 1 : 0) > Scalars.Zero, decoder, divergence);
        using var bit = Math.Log(2).ToScalar();
        return (term / bit).MoveToOuterDisposeScope();
    }

    private Tensor PosteriorMean(Tensor images, Tensor noisy, IReadOnlyList<int> timesteps)
    {
        using var scope = NewDisposeScope();
        var image = Values(images, timesteps, t => _steps[t].Posterior.ImageWeight);
        return (image * images).addcmul(Values(images, timesteps, t => _steps[t].Posterior.NoisyWeight), noisy, Scalars.One).MoveToOuterDisposeScope();
    }

    private Tensor LogVariance(Tensor noisy, Tensor? output, IReadOnlyList<int> timesteps)
    {
        if (_variance is ReverseVariance.FixedSmall or ReverseVariance.FixedLarge)
        {
            using var value = Values(noisy, timesteps, t => _variance == ReverseVariance.FixedLarge && t > 0 ? _steps[t].LogVariance.Large : _steps[t].LogVariance.Small);
            return value.expand(noisy.shape);
        }

        if (output is null)
        {
            throw new InvalidOperationException($"The variance {_variance} needs a network with twice the channels; the prediction has no second output.");
        }

        Guard.SameShape(noisy, output);
        if (_variance == ReverseVariance.Learned)
        {
            return output.alias();
        }

        using var scope = NewDisposeScope();
        var half = Values(noisy, timesteps, t => (_steps[t].LogVariance.Large - _steps[t].LogVariance.Small) / 2);
        var middle = Values(noisy, timesteps, t => (_steps[t].LogVariance.Large + _steps[t].LogVariance.Small) / 2);
        return (half * output).Plus(middle).MoveToOuterDisposeScope();
    }

    private static Tensor Values(Tensor batch, IReadOnlyList<int> timesteps, Func<int, double> value) => PerImage.Values(batch, [.. timesteps.Select(value)]);

    private void Check(Tensor batch, IReadOnlyList<int> timesteps)
    {
        ArgumentNullException.ThrowIfNull(timesteps);
        if (timesteps.Count != 1 && timesteps.Count != batch.shape[0])
        {
            throw new ArgumentException($"A batch of shape [{string.Join(", ", batch.shape)}] needs one timestep, or one for each of its images; {timesteps.Count} were given.", nameof(timesteps));
        }

        foreach (var t in timesteps)
        {
            if ((uint)t >= (uint)_steps.Length)
            {
                throw new ArgumentOutOfRangeException(nameof(timesteps), t, $"Each timestep must be in [0, {_steps.Length}).");
            }
        }
    }
}
