namespace Diffusion;

/// <summary>
/// How much the loss at each noise level counts. The weight is on the loss of the network's output, whatever that predicts: a weight w on the loss of
/// x̂₀ is the weight w·Out² there. Derive from it to plug in one of your own.
/// </summary>
/// <remarks>
/// The relation of the two losses: x̂₀ = Skip·x_t + Out·output, arXiv:2206.00364, Eq. 8. With snr = α²/σ²:
/// snr: arXiv:2202.00512, section 4; min-SNR: arXiv:2303.09556, section 3; soft-min-SNR: arXiv:2401.11605, section 3;
/// P2: arXiv:2204.00227, section 3; EDM: arXiv:2206.00364, table 1. Where a level has no image or no noise, the weight is the limit.
/// </remarks>
public abstract class LossWeighting
{
    private const double Min = 1e-150; // its square is still a normal number

    /// <summary>1 on the network's output. The default.</summary>
    public static LossWeighting Uniform { get; } = new OutputWeighting();

    /// <summary>snr on x̂₀: 1 where the network predicts ε, snr/(snr + 1) for v.</summary>
    public static LossWeighting Snr { get; } = new ImageWeighting("snr", snr => snr);

    /// <summary>The name that configuration files use.</summary>
    public abstract string Name { get; }

    /// <summary>min(snr, γ) on x̂₀: min(1, γ/snr) for ε, min(snr, γ)/(snr + 1) for v. Keeps the many easy levels of little noise from dominating.</summary>
    /// <param name="gamma">γ, above 0; 5 in the paper.</param>
    /// <returns>The weighting.</returns>
    /// <exception cref="ArgumentOutOfRangeException">γ is not a finite number above 0.</exception>
    public static LossWeighting MinSnr(double gamma = 5)
    {
        Positive(gamma, nameof(gamma));
        return new ImageWeighting("min-snr", snr => Math.Min(snr, gamma));
    }

    /// <summary>snr·γ/(snr + γ) on x̂₀: min-SNR without the corner.</summary>
    /// <param name="gamma">γ, above 0; 4 in the paper, 1/σ_data² for σ_data = 0.5.</param>
    /// <returns>The weighting.</returns>
    /// <exception cref="ArgumentOutOfRangeException">γ is not a finite number above 0.</exception>
    public static LossWeighting SoftMinSnr(double gamma = 4)
    {
        Positive(gamma, nameof(gamma));
        return new ImageWeighting("soft-min-snr", snr => snr / ((snr / gamma) + 1));
    }

    /// <summary>1/(k + snr)^γ on ε, which is snr/(k + snr)^γ on x̂₀: less weight where only imperceptible detail is left to learn.</summary>
    /// <param name="offset">k, above 0; 1 in the paper.</param>
    /// <param name="exponent">γ, at least 0; 1 in the paper, 0 for <see cref="Snr"/>.</param>
    /// <returns>The weighting.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static LossWeighting P2(double offset = 1, double exponent = 1)
    {
        Positive(offset, nameof(offset));
        if (!double.IsFinite(exponent) || exponent < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(exponent), exponent, "The exponent must be a finite number, at least 0.");
        }

        return new ImageWeighting("p2", snr => snr * Math.Pow(offset + snr, -exponent));
    }

    /// <summary>snr + 1/σ_data² on x̂₀, which is 1 on the output of <see cref="Parameterization.Karras"/>: the same loss at every level for an untrained network.</summary>
    /// <param name="sigmaData">The standard deviation of the images, above 0; 0.5 by default.</param>
    /// <returns>The weighting. Grows without bound towards pure noise where the network predicts ε.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The standard deviation is not a finite number above 0.</exception>
    public static LossWeighting Edm(double sigmaData = 0.5)
    {
        Positive(sigmaData, nameof(sigmaData));
        return new ImageWeighting("edm", snr => snr + (1 / (sigmaData * sigmaData)));
    }

    /// <summary>The weight at a level.</summary>
    /// <param name="level">Any level.</param>
    /// <param name="parameterization">What the network predicts.</param>
    /// <returns>The factor on the loss of the network's output, at least 0.</returns>
    public abstract double At(NoiseLevel level, Parameterization parameterization);

    /// <inheritdoc/>
    public sealed override string ToString() => Name;

    private static void Positive(double value, string name)
    {
        if (!double.IsFinite(value) || value <= 0)
        {
            throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be a finite number above 0.");
        }
    }

    private sealed class OutputWeighting : LossWeighting
    {
        public override string Name => "uniform";

        public override double At(NoiseLevel level, Parameterization parameterization) => 1;
    }

    private sealed class ImageWeighting(string name, Func<double, double> weight) : LossWeighting
    {
        public override string Name => name;

        public override double At(NoiseLevel level, Parameterization parameterization)
        {
            ArgumentNullException.ThrowIfNull(parameterization);
            // At an end of the schedule one factor is 0 and the other infinite; a hair beside it their product is the limit.
            var min = level.Scale * Min;
            var near = new NoiseLevel(Math.Max(level.Alpha, min), Math.Max(level.Sigma, min), level.Timestep);
            var output = parameterization.At(near).Out;
            return weight(near.SignalToNoise) * output * output;
        }
    }
}
