namespace Diffusion.Models;

/// <summary>A schedule whose network is conditioned on ln(σ/α)/4 instead of the timestep: <c>timestep_type</c> "continuous" in diffusers.</summary>
internal sealed class LogSigmaSchedule(INoiseSchedule inner) : INoiseSchedule
{
    public int Timesteps => inner.Timesteps;

    public static NoiseLevel OfSigma(NoiseLevel level) => level.Sigma == 0 ? level : new NoiseLevel(level.Alpha, level.Sigma, Math.Log(level.Ratio) / 4);

    public NoiseLevel LevelAt(int timestep) => OfSigma(inner.LevelAt(timestep));

    public NoiseLevel LevelAt(double timestep) => OfSigma(inner.LevelAt(timestep));

    public NoiseLevel LevelWithRatio(double ratio) => OfSigma(inner.LevelWithRatio(ratio));
}
