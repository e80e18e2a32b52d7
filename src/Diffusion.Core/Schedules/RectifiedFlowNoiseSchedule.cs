namespace Diffusion;

/// <summary>Rectified flow: a straight line from image to noise, α = 1 − σ, with σ evenly spaced, or shifted towards noise for large images.</summary>
/// <remarks>
/// Flow Straight and Fast, arXiv:2209.03003; the shift: Scaling Rectified Flow Transformers, arXiv:2403.03206, Eq. 23,
/// σ = shift·u/(1 + (shift − 1)·u) with u_t = (t + 1)/T. The last level is pure noise, so train <see cref="Parameterization.Flow"/>, not ε.
/// The network is conditioned on σ·T.
/// </remarks>
internal sealed class RectifiedFlowNoiseSchedule : INoiseSchedule
{
    /// <summary>Makes the schedule.</summary>
    /// <param name="timesteps">T, at least 1; 1000 by default.</param>
    /// <param name="shift">Above 0; 1 (default) leaves σ evenly spaced, more moves the levels towards noise.</param>
    /// <exception cref="ArgumentOutOfRangeException">A value is outside its range.</exception>
    public RectifiedFlowNoiseSchedule(int timesteps = 1000, double shift = 1)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(timesteps, 1);
        if (!double.IsFinite(shift) || shift <= 0)
        {
            throw new ArgumentOutOfRangeException(nameof(shift), shift, "The shift must be a finite number above 0.");
        }

        Timesteps = timesteps;
        Shift = shift;
    }

    /// <inheritdoc/>
    public int Timesteps { get; }

    /// <summary>How far the levels are moved towards noise; 1 for evenly spaced ones.</summary>
    public double Shift { get; }

    /// <inheritdoc/>
    public NoiseLevel LevelAt(int timestep) => LevelAt((double)timestep);

    /// <inheritdoc/>
    public NoiseLevel LevelAt(double timestep)
    {
        if (!(timestep >= 0 && timestep <= Timesteps - 1))
        {
            throw new ArgumentOutOfRangeException(nameof(timestep), timestep, $"The timestep must be in [0, {Timesteps - 1}].");
        }

        var u = (timestep + 1) / Timesteps;
        return LevelOf(Shift * u / (1 + ((Shift - 1) * u)));
    }

    /// <inheritdoc/>
    public NoiseLevel LevelWithRatio(double ratio) => double.IsFinite(ratio) && ratio > 0
        ? LevelOf(ratio / (1 + ratio))
        : throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "The noise-to-signal ratio must be a finite number above 0.");

    private NoiseLevel LevelOf(double sigma) => new(1 - sigma, sigma, sigma * Timesteps);
}
