using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Classifier guidance: the score of the denoiser plus scale times that of a classifier, which moves x̂₀ by σ²/α·scale·∇ln p(y | x_t).
/// </summary>
/// <remarks>
/// Diffusion Models Beat GANs on Image Synthesis, arXiv:2105.05233, algorithm 2 (ε̂ ← ε − √(1 − ᾱ)·∇ln p(y | x_t)), for any levels and any
/// sampler. Algorithm 1, which moves the mean of an ancestral step by its variance instead, belongs to the step and not to the denoiser.
/// At α = 0 nothing of the image is in x_t, the classifier can say nothing, and x̂₀ stays as it is.
/// Clipping inside of the guidance, <c>new ClassifierGuidance(denoiser.Limited(ImageLimit.Clip()), …)</c>, is what the paper's code does; the
/// guided image may then leave the range again.
/// </remarks>
public sealed class ClassifierGuidance : IDenoiser
{
    private readonly IDenoiser _inner;
    private readonly ClassifierGradient _gradient;
    private readonly double _scale;

    /// <summary>Guides a denoiser.</summary>
    /// <param name="inner">The denoiser.</param>
    /// <param name="gradient">∇ln p(y | x_t); <see cref="ClassifierGradients.Of"/> makes it of a classifier.</param>
    /// <param name="scale">A finite number, 1 by default: the power of p(y | x_t). At 0 the classifier is not asked.</param>
    /// <exception cref="ArgumentOutOfRangeException">The scale is not finite.</exception>
    public ClassifierGuidance(IDenoiser inner, ClassifierGradient gradient, double scale = 1)
    {
        ArgumentNullException.ThrowIfNull(inner);
        ArgumentNullException.ThrowIfNull(gradient);
        _inner = inner;
        _gradient = gradient;
        _scale = double.IsFinite(scale) ? scale : throw new ArgumentOutOfRangeException(nameof(scale), scale, "The scale must be a finite number.");
    }

    /// <inheritdoc/>
    public INoiseSchedule Schedule => _inner.Schedule;

    /// <inheritdoc/>
    public Device Device => _inner.Device;

    /// <inheritdoc/>
    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        var (image, variance) = Predict(noisy, level);
        variance?.Dispose();
        return image;
    }

    /// <inheritdoc/>
    public Prediction Predict(Tensor noisy, NoiseLevel level)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        var shift = _scale * level.Sigma * level.Sigma / level.Alpha;
        if (shift == 0 || level.Alpha == 0)
        {
            return _inner.Predict(noisy, level);
        }

        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (image, variance) = _inner.Predict(noisy, level);
        var gradient = _gradient(noisy, level);
        Guard.SameShape(noisy, gradient);
        using var factor = shift.ToScalar();
        return new Prediction(image.add(gradient, alpha: factor).MoveToOuterDisposeScope(), variance?.MoveToOuterDisposeScope());
    }
}
