namespace Diffusion;

/// <summary>
/// A variance-exploding schedule: the image keeps its weight, α = 1, and σ grows. The network is conditioned on a function of σ,
/// ln(σ)/4 by default, instead of on the timestep.
/// </summary>
/// <remarks>
/// Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, Eq. 5 (Karras) and table 1 (c_noise).
/// Exponential: σ evenly spaced in ln σ; polyexponential: evenly in the ρ-th power of the position along it, as k-diffusion names it.
/// </remarks>
internal sealed class SigmaNoiseSchedule : INoiseSchedule
{
    private const double EdmSigmaMin = 0.002;
    private const double EdmSigmaMax = 80;
    private const double EdmRho = 7;

    private readonly double[] _sigmas;
    private readonly Func<double, double> _label;

    /// <summary>A schedule of exactly these σs.</summary>
    /// <param name="sigmas">σ_t for t = 0, 1, …: strictly increasing, finite, above 0, at least one.</param>
    /// <param name="label">The input of the network for a σ; ln(σ)/4 by default.</param>
    /// <exception cref="ArgumentException">The list is empty, does not increase, or has a value that is not above 0.</exception>
    public SigmaNoiseSchedule(IEnumerable<double> sigmas, Func<double, double>? label = null)
    {
        ArgumentNullException.ThrowIfNull(sigmas);
        _sigmas = [.. sigmas];
        _label = label ?? (sigma => Math.Log(sigma) / 4);
        if (_sigmas.Length == 0)
        {
            throw new ArgumentException("A schedule needs at least one sigma; the list is empty.", nameof(sigmas));
        }

        for (var t = 0; t < _sigmas.Length; t++)
        {
            var before = t == 0 ? 0 : _sigmas[t - 1];
            if (!double.IsFinite(_sigmas[t]) || _sigmas[t] <= before)
            {
                throw new ArgumentException(FormattableString.Invariant($"Sigmas must increase and be finite and above 0; sigmas[{t}] is {_sigmas[t]:R} after {before:R}."), nameof(sigmas));
            }
        }
    }

    /// <inheritdoc/>
    public int Timesteps => _sigmas.Length;

    /// <summary>σ_t, increasing.</summary>
    public IReadOnlyList<double> Sigmas => _sigmas;

    /// <summary>σ_t = (σ_min^(1/ρ) + t/(T−1)·(σ_max^(1/ρ) − σ_min^(1/ρ)))^ρ: the schedule of EDM.</summary>
    /// <param name="timesteps">T, at least 2; 1000 by default.</param>
    /// <param name="sigmaMin">The smallest σ, above 0.</param>
    /// <param name="sigmaMax">The largest σ.</param>
    /// <param name="rho">ρ, above 0: the larger, the more levels lie at low noise.</param>
    /// <returns>The schedule.</returns>
    public static SigmaNoiseSchedule Karras(int timesteps = 1000, double sigmaMin = EdmSigmaMin, double sigmaMax = EdmSigmaMax, double rho = EdmRho) =>
        new(SigmaRamp.Karras(timesteps, sigmaMin, sigmaMax, rho).Reverse());

    /// <summary>σ from σ_min to σ_max, evenly in ln σ.</summary>
    /// <inheritdoc cref="Karras" path="/param"/>
    /// <returns>The schedule.</returns>
    public static SigmaNoiseSchedule Exponential(int timesteps = 1000, double sigmaMin = EdmSigmaMin, double sigmaMax = EdmSigmaMax) =>
        PolyExponential(timesteps, sigmaMin, sigmaMax, 1);

    /// <summary>ln σ_t = ln σ_min + (t/(T−1))^ρ·(ln σ_max − ln σ_min).</summary>
    /// <inheritdoc cref="Karras" path="/param"/>
    /// <returns>The schedule.</returns>
    public static SigmaNoiseSchedule PolyExponential(int timesteps = 1000, double sigmaMin = EdmSigmaMin, double sigmaMax = EdmSigmaMax, double rho = 1) =>
        new(SigmaRamp.PolyExponential(timesteps, sigmaMin, sigmaMax, rho).Reverse());

    /// <inheritdoc/>
    public NoiseLevel LevelAt(int timestep) => (uint)timestep < (uint)_sigmas.Length
        ? LevelWithRatio(_sigmas[timestep])
        : throw new ArgumentOutOfRangeException(nameof(timestep), timestep, $"The timestep must be in [0, {_sigmas.Length}).");

    /// <summary>The level of exactly this σ, with its label; also outside the table.</summary>
    /// <param name="ratio">σ, above 0, finite.</param>
    /// <returns>The level.</returns>
    public NoiseLevel LevelWithRatio(double ratio) => double.IsFinite(ratio) && ratio > 0
        ? new NoiseLevel(1, ratio, _label(ratio))
        : throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "Sigma must be a finite number above 0.");

    /// <inheritdoc/>
    public NoiseLevel LevelAt(double timestep) => LevelWithRatio(Interpolation.LevelAt(this, timestep).Ratio);
}
