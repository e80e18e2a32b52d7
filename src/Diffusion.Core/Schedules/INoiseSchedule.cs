namespace Diffusion;

/// <summary>
/// How noisy an image is at each training timestep. Implementations are immutable, hold no tensors and compute in double precision.
/// Implement it for a schedule of your own: training, the forward and reverse process and samplers need no more than this.
/// </summary>
public interface INoiseSchedule
{
    /// <summary>T, the number of training timesteps, at least 1. Timesteps run from 0 (least noise) to T − 1 (most).</summary>
    int Timesteps { get; }

    /// <summary>The noise level at a timestep. σ/α grows with the timestep.</summary>
    /// <param name="timestep">In [0, <see cref="Timesteps"/>).</param>
    /// <returns>The level. Its <see cref="NoiseLevel.Timestep"/> is what the network is conditioned on: <paramref name="timestep"/> itself, or, for some schedules, a function of the noise.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The timestep is outside the range.</exception>
    NoiseLevel LevelAt(int timestep);

    /// <summary>
    /// The noise level between two timesteps. By default σ/α and √(α² + σ²) are interpolated geometrically between the neighbours;
    /// a schedule that has a formula for any time overrides it.
    /// </summary>
    /// <param name="timestep">In [0, <see cref="Timesteps"/> − 1], fractions allowed.</param>
    /// <returns>The level; at integers that of <see cref="LevelAt(int)"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The timestep is outside the range.</exception>
    NoiseLevel LevelAt(double timestep) => Interpolation.LevelAt(this, timestep);

    /// <summary>
    /// The noise level whose σ/α is the given one: for samplers that choose levels by noise instead of by timestep.
    /// By default the inverse of the interpolation of <see cref="LevelAt(double)"/>; beyond the schedule's ends the timestep is that of the end.
    /// </summary>
    /// <param name="ratio">σ/α, above 0, finite.</param>
    /// <returns>The level.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The ratio is not finite and above 0.</exception>
    NoiseLevel LevelWithRatio(double ratio) => Interpolation.LevelWithRatio(this, ratio);
}
