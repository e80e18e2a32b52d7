namespace Diffusion.Models;

/// <summary>
/// The schedule of IPNDMScheduler: σ = sin²(π/2·u) and α = √(1 − σ²) at the time u = (t + 1)/T, pure noise at u = 1. The network is conditioned on 2/π·atan(σ/α), in [0, 1].
/// </summary>
/// <remarks>The schedule of Katherine Crowson's v-diffusion models ("crash"), which diffusers' Dance Diffusion has.</remarks>
internal sealed class SineSquareSchedule(int timesteps) : INoiseSchedule
{
    public int Timesteps => timesteps;

    /// <summary>The level at a time.</summary>
    /// <param name="time">In [0, 1].</param>
    public static NoiseLevel At(double time)
    {
        var sine = Math.Sin(time * Math.PI / 2);
        var sigma = sine * sine;
        var alpha = time == 1 ? 0 : Math.Sqrt((1 - sigma) * (1 + sigma));
        return new NoiseLevel(alpha, sigma, Math.Atan2(sigma, alpha) * 2 / Math.PI);
    }

    public NoiseLevel LevelAt(int timestep) => timestep >= 0 && timestep < timesteps
        ? At((timestep + 1.0) / timesteps)
        : throw new ArgumentOutOfRangeException(nameof(timestep), timestep, $"The timestep must be in [0, {timesteps}).");

    public NoiseLevel LevelAt(double timestep) => timestep >= 0 && timestep <= timesteps - 1
        ? At((timestep + 1) / timesteps)
        : throw new ArgumentOutOfRangeException(nameof(timestep), timestep, $"The timestep must be in [0, {timesteps - 1}].");

    public NoiseLevel LevelWithRatio(double ratio) => double.IsFinite(ratio) && ratio > 0
        ? NoiseLevel.FromRatio(ratio, 1, Math.Atan(ratio) * 2 / Math.PI)
        : throw new ArgumentOutOfRangeException(nameof(ratio), ratio, "The noise-to-signal ratio must be a finite number above 0.");
}
