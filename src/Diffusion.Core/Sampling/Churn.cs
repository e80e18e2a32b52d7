using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Noise that is added before a step, so that errors of earlier steps are forgotten: σ is raised to σ·(1 + γ), γ = min(Amount/steps, √2 − 1), for levels
/// within a range. σ is that of x/α throughout.
/// </summary>
/// <remarks>Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, algorithm 2 and table 5.</remarks>
/// <param name="Amount">S_churn, at least 0; 0 for none.</param>
/// <param name="Least">S_tmin: no churn below this σ.</param>
/// <param name="Most">S_tmax: no churn above this σ.</param>
/// <param name="NoiseScale">S_noise: the standard deviation of the noise, a little above 1 to make up for the network's loss of detail.</param>
public sealed record Churn(double Amount, double Least = 0, double Most = double.PositiveInfinity, double NoiseScale = 1)
{
    private static readonly double MostGrowth = Math.Sqrt(2) - 1;

    /// <summary>No churn.</summary>
    public static Churn None { get; } = new(0);

    /// <summary>The image and the level to step from: raised, or as they are.</summary>
    internal (Tensor Noisy, NoiseLevel Level) Apply(StepContext context)
    {
        var from = context.From;
        var growth = from.Ratio >= Least && from.Ratio <= Most && from.Alpha > 0 ? Math.Min(Amount / (context.Levels.Count - 1), MostGrowth) : 0;
        if (growth <= 0)
        {
            return (context.Noisy, from);
        }

        var raised = context.Denoiser.Schedule.LevelWithRatio(from.Ratio * (1 + growth));
        var added = raised.Alpha * from.Ratio * Math.Sqrt(((1 + growth) * (1 + growth)) - 1) * NoiseScale;
        return (StepMath.Sum((raised.Alpha / from.Alpha, context.Noisy), (added, context.DrawNoise(raised, from))), raised);
    }
}
