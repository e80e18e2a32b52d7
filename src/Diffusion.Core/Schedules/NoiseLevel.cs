namespace Diffusion;

/// <summary>
/// A noise level: a noisy image is <c>x_t = α·x₀ + σ·ε</c>, with x₀ the clean image and ε standard normal noise.
/// One value serves variance-preserving (α² + σ² = 1), variance-exploding (α = 1) and rectified-flow (α = 1 − σ) processes.
/// </summary>
public readonly record struct NoiseLevel
{
    /// <summary>Makes a level.</summary>
    /// <param name="alpha">The weight of the image, at least 0.</param>
    /// <param name="sigma">The standard deviation of the noise, at least 0; not 0 together with <paramref name="alpha"/>.</param>
    /// <param name="timestep">The training timestep that the network is conditioned on.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is negative or not finite, or both weights are 0.</exception>
    public NoiseLevel(double alpha, double sigma, double timestep)
    {
        if (!double.IsFinite(alpha) || alpha < 0 || (alpha == 0 && sigma == 0))
        {
            throw new ArgumentOutOfRangeException(nameof(alpha), alpha, "The weight of the image must be finite and at least 0, and not 0 together with sigma.");
        }

        if (!double.IsFinite(sigma) || sigma < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(sigma), sigma, "The standard deviation of the noise must be finite and at least 0.");
        }

        Alpha = alpha;
        Sigma = sigma;
        Timestep = timestep;
    }

    /// <summary>No noise: α = 1, σ = 0. Its timestep is −1, one before the first.</summary>
    public static NoiseLevel Clean { get; } = new(1, 0, -1);

    /// <summary>α, the weight of the image. At least 0.</summary>
    public double Alpha { get; }

    /// <summary>σ, the standard deviation of the noise. At least 0.</summary>
    public double Sigma { get; }

    /// <summary>The training timestep that the network is conditioned on.</summary>
    public double Timestep { get; }

    /// <summary>σ/α, the noise level of x/α: the σ of variance-exploding samplers. Infinite where nothing is left of the image.</summary>
    public double Ratio => Sigma / Alpha;

    /// <summary>√(α² + σ²), the standard deviation of x for images of unit variance: 1 in a variance-preserving process.</summary>
    public double Scale => Math.Sqrt((Alpha * Alpha) + (Sigma * Sigma));

    /// <summary>λ = ln(α/σ), half the logarithm of the signal-to-noise ratio; +∞ without noise, −∞ without image.</summary>
    public double HalfLogSnr => Math.Log(Alpha / Sigma);

    /// <summary>The level with a given σ/α and √(α² + σ²).</summary>
    /// <param name="ratio">σ/α, at least 0, finite.</param>
    /// <param name="scale">√(α² + σ²), above 0: 1 for a variance-preserving level.</param>
    /// <param name="timestep">The training timestep that the network is conditioned on.</param>
    /// <returns>The level.</returns>
    public static NoiseLevel FromRatio(double ratio, double scale, double timestep)
    {
        var alpha = scale / Math.Sqrt(1 + (ratio * ratio));
        return new NoiseLevel(alpha, alpha * ratio, timestep);
    }

    /// <summary>The signal-to-noise ratio α²/σ²; infinity without noise.</summary>
    public double SignalToNoise => Alpha * Alpha / (Sigma * Sigma);
}
