namespace Diffusion;

/// <summary>
/// How noisy an image is at each training timestep. Implementations are immutable, hold no tensors and compute in double precision.
/// Implement it to plug in a schedule of your own: everything else (training, the forward and reverse process, samplers) needs no more than this.
/// </summary>
public interface INoiseSchedule
{
    /// <summary>T, the number of training timesteps, at least 1. Timesteps run from 0 (least noise) to T − 1 (most).</summary>
    int Timesteps { get; }

    /// <summary>The noise level at a timestep. σ/α grows with the timestep.</summary>
    /// <param name="timestep">In [0, <see cref="Timesteps"/>).</param>
    /// <returns>The level, with <see cref="NoiseLevel.Timestep"/> equal to <paramref name="timestep"/>.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The timestep is outside the range.</exception>
    NoiseLevel LevelAt(int timestep);
}
