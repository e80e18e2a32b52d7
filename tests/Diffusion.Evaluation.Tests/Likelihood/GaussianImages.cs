using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>Images that are Gaussian: their exact denoiser, images of the distribution, and its density, in double precision.</summary>
/// <param name="mean">μ, [C, H, W].</param>
/// <param name="covariance">Σ, [D, D], D = C·H·W.</param>
internal sealed class GaussianImages(Tensor mean, Tensor covariance)
{
    private readonly long _values = mean.numel();

    /// <summary>Every pixel on its own, with means from −0.6 to 0.5 and deviations from 0.05 to 0.9.</summary>
    public static GaussianImages Diagonal(long channels = 1, long size = 6)
    {
        var values = channels * size * size;
        return new(linspace(-0.6, 0.5, values, ScalarType.Float64).view(channels, size, size), diag(linspace(0.05, 0.9, values, ScalarType.Float64).pow(2)));
    }

    /// <summary>Four pixels that depend on each other, nearly on a line.</summary>
    public static GaussianImages Full()
    {
        using var generator = new Generator(5);
        var root = randn([4, 4], ScalarType.Float64, generator: generator);
        return new(tensor(new[] { 0.2, -0.5, 0.1, 0.4 }).view(1, 2, 2), (root.mm(root.t()) * 0.05) + (eye(4, dtype: ScalarType.Float64) * 0.003));
    }

    /// <summary>The posterior mean: μ + α·Σ·(α²·Σ + σ²)⁻¹·(x − α·μ).</summary>
    public IDenoiser Denoiser(INoiseSchedule schedule) => new FunctionDenoiser(schedule, (noisy, level) =>
    {
        var gain = Gain(level).to(noisy.dtype);
        var center = (mean * level.Alpha).to(noisy.dtype);
        return ((noisy - center).flatten(1).mm(gain.t()).view(noisy.shape) + mean).to(noisy.dtype);
    });

    /// <summary>Σ·α/(α²·Σ + σ²).</summary>
    public Tensor Gain(NoiseLevel level)
    {
        var noise = eye(_values, dtype: ScalarType.Float64) * (level.Sigma * level.Sigma);
        return (covariance * level.Alpha).mm(linalg.inv((covariance * (level.Alpha * level.Alpha)) + noise));
    }

    /// <summary>Images with the noise of a level, x/α.</summary>
    public Tensor Draw(int count, double ratio, ulong seed = 1)
    {
        using var generator = new Generator(seed);
        var root = linalg.cholesky(Noisy(ratio));
        return randn([count, _values], ScalarType.Float64, generator: generator).mm(root.t()).view([count, .. mean.shape]) + mean;
    }

    /// <summary>−log₂ of the density of x/α at a level, bits per dimension.</summary>
    /// <param name="images">x/α, [B, C, H, W].</param>
    /// <param name="ratio">σ/α of the level.</param>
    /// <param name="last">σ/α where the flow ends: there x/√(α² + σ²) is taken to be N(0, 1), which it is but for what is left of the images. Nothing is left at infinity.</param>
    public double[] Bits(Tensor images, double ratio, double last = double.PositiveInfinity)
    {
        var (variances, axes) = linalg.eigh(covariance);
        var white = (images - mean).flatten(1).mm(axes) / (variances + (ratio * ratio)).sqrt(); // along the flow these stay the same
        var nats = (white.pow(2).sum([1]) / 2) + ((variances + (ratio * ratio)).log().sum() / 2);
        if (double.IsFinite(last))
        {
            var deviation = ((variances + (last * last)) / (1 + (last * last))).sqrt();
            var noise = (white * deviation).mm(axes.t()) + (mean.flatten() / Math.Sqrt(1 + (last * last)));
            nats = nats - (white.pow(2).sum([1]) / 2) - deviation.log().sum() + (noise.pow(2).sum([1]) / 2);
        }

        return ((nats / _values) + (0.5 * Math.Log(2 * Math.PI))).data<double>().ToArray().Select(each => each / Math.Log(2)).ToArray();
    }

    private Tensor Noisy(double ratio) => covariance + (eye(_values, dtype: ScalarType.Float64) * (ratio * ratio));
}
