namespace Diffusion;

/// <summary>
/// A variance-preserving schedule in continuous time, given by the logarithm of the signal-to-noise ratio: α² = 1/(1 + e^(−ln SNR(u))),
/// σ² = 1 − α², with u = (t + 1)/T. The network is conditioned on ln SNR, by default.
/// </summary>
/// <remarks>
/// Variational Diffusion Models, arXiv:2107.00630, section 3.2 and appendix D (<see cref="Linear"/>);
/// Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, Eq. 17 (<see cref="Cosine"/>);
/// Simple Diffusion, arXiv:2301.11093, section 3.1 (<see cref="ShiftedCosine"/> and <see cref="InterpolatedCosine"/>).
/// </remarks>
internal sealed class LogSnrNoiseSchedule : INoiseSchedule
{
    private const double CosineOffset = 0.008;
    private const double ShiftedRange = 15; // Simple Diffusion keeps ln SNR, before the shift, within ±15

    private readonly Func<double, double> _logSnr;
    private readonly Func<double, double> _label;

    /// <summary>A schedule of your own.</summary>
    /// <param name="logSnr">ln(α²/σ²) at a time u in [0, 1]; finite and decreasing.</param>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="label">The input of the network for a ln SNR; the ln SNR itself by default.</param>
    /// <exception cref="ArgumentOutOfRangeException">No timesteps.</exception>
    /// <exception cref="ArgumentException">ln SNR is not finite, or does not decrease, at one of the T times.</exception>
    public LogSnrNoiseSchedule(Func<double, double> logSnr, int timesteps = 1000, Func<double, double>? label = null)
    {
        ArgumentNullException.ThrowIfNull(logSnr);
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        var before = double.PositiveInfinity;
        for (var t = 0; t < timesteps; t++)
        {
            var time = (t + 1.0) / timesteps;
            var now = logSnr(time);
            if (!double.IsFinite(now) || now >= before)
            {
                throw new ArgumentException(FormattableString.Invariant($"ln SNR must be finite and decrease; at time {time:R} it is {now:R} after {before:R}."), nameof(logSnr));
            }

            before = now;
        }

        (_logSnr, Timesteps, _label) = (logSnr, timesteps, label ?? (value => value));
    }

    /// <inheritdoc/>
    public int Timesteps { get; }

    /// <summary>ᾱ(u) = exp(−1e-4 − 10·u²): the schedule whose β grows evenly, in continuous time.</summary>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <returns>The schedule.</returns>
    public static LogSnrNoiseSchedule Linear(int timesteps = 1000) => new(time => -Math.Log(double.ExpM1(1e-4 + (10 * time * time))), timesteps);

    /// <summary>α(u) = cos((u + s)/(1 + s)·π/2), where <see cref="CosineNoiseSchedule"/> divides by its value at u = 0.</summary>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="offset">s, at least 0.</param>
    /// <returns>The schedule. Its last level is pure noise but for rounding: not for <see cref="Parameterization.Epsilon"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static LogSnrNoiseSchedule Cosine(int timesteps = 1000, double offset = CosineOffset)
    {
        if (!double.IsFinite(offset) || offset < 0)
        {
            throw new ArgumentOutOfRangeException(nameof(offset), offset, "The offset must be a finite number, at least 0.");
        }

        return new(time => -2 * Math.Log(Math.Tan((time + offset) / (1 + offset) * Math.PI / 2)), timesteps);
    }

    /// <summary>The cosine schedule, shifted so that images larger than those it was made for are destroyed as thoroughly: ln SNR + 2·ln(noiseSize/imageSize).</summary>
    /// <param name="imageSize">The side of the images, above 0.</param>
    /// <param name="noiseSize">The side at which the unshifted schedule is right, above 0; 64 in the paper.</param>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static LogSnrNoiseSchedule ShiftedCosine(int imageSize, int noiseSize = 64, int timesteps = 1000)
    {
        var shift = Shift(imageSize, noiseSize, nameof(noiseSize));
        return new(time => Bounded(time) + shift, timesteps);
    }

    /// <summary>Between two shifted cosine schedules, from that of the larger noise at u = 0 to that of the smaller at u = 1.</summary>
    /// <param name="imageSize">The side of the images, above 0.</param>
    /// <param name="noiseSizeLow">The side whose schedule holds at pure noise, above 0; 32 in the paper.</param>
    /// <param name="noiseSizeHigh">The side whose schedule holds at the clean image, above 0.</param>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <returns>The schedule.</returns>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public static LogSnrNoiseSchedule InterpolatedCosine(int imageSize, int noiseSizeLow, int noiseSizeHigh, int timesteps = 1000)
    {
        var (low, high) = (Shift(imageSize, noiseSizeLow, nameof(noiseSizeLow)), Shift(imageSize, noiseSizeHigh, nameof(noiseSizeHigh)));
        return new(time => Bounded(time) + (time * low) + ((1 - time) * high), timesteps);
    }

    /// <inheritdoc/>
    public NoiseLevel LevelAt(int timestep) => (uint)timestep < (uint)Timesteps
        ? LevelAtTime((timestep + 1.0) / Timesteps)
        : throw new ArgumentOutOfRangeException(nameof(timestep), timestep, $"The timestep must be in [0, {Timesteps}).");

    /// <inheritdoc/>
    public NoiseLevel LevelAt(double timestep) => timestep >= 0 && timestep <= Timesteps - 1
        ? LevelAtTime((timestep + 1) / Timesteps)
        : throw new ArgumentOutOfRangeException(nameof(timestep), timestep, $"The timestep must be in [0, {Timesteps - 1}].");

    /// <summary>The level at a time, from the formula.</summary>
    /// <param name="time">u, from 0, the least noise, to 1.</param>
    /// <returns>The level.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The time is outside [0, 1].</exception>
    public NoiseLevel LevelAtTime(double time) => time >= 0 && time <= 1
        ? LevelOf(_logSnr(time))
        : throw new ArgumentOutOfRangeException(nameof(time), time, "The time must be in [0, 1].");

    /// <inheritdoc/>
    public NoiseLevel LevelWithRatio(double ratio) => double.IsFinite(ratio) && ratio > 0
        ? LevelOf(-2 * Math.Log(ratio))
        : throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "The noise-to-signal ratio must be a finite number above 0.");

    private NoiseLevel LevelOf(double logSnr) => new(Math.Sqrt(1 / (1 + Math.Exp(-logSnr))), Math.Sqrt(1 / (1 + Math.Exp(logSnr))), _label(logSnr));

    private static double Bounded(double time)
    {
        var (first, last) = (Math.Atan(Math.Exp(-ShiftedRange / 2)), Math.Atan(Math.Exp(ShiftedRange / 2)));
        return -2 * Math.Log(Math.Tan(first + (time * (last - first))));
    }

    private static double Shift(int imageSize, int noiseSize, string name)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(imageSize, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(noiseSize, 1, name);
        return 2 * Math.Log((double)noiseSize / imageSize);
    }
}
