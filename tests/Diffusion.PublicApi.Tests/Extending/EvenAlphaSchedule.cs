namespace Diffusion.PublicApi.Tests;

/// <summary>The weight of the image falls evenly from 1 to 0, and α² + σ² = 1.</summary>
internal sealed class EvenAlphaSchedule(int timesteps) : INoiseSchedule
{
    public int Timesteps => timesteps;

    public NoiseLevel LevelAt(int timestep)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(timestep);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(timestep, timesteps);
        var alpha = 1 - ((timestep + 1.0) / (timesteps + 1));
        return new NoiseLevel(alpha, Math.Sqrt(1 - (alpha * alpha)), timestep);
    }
}
