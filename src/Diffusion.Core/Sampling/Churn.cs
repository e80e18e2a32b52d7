using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Noise that is added before a step, which corrects errors of earlier steps: σ is raised to σ·(1 + γ), γ = min(Amount/steps, √2 − 1), for levels
/// within a range. σ is that of x/α throughout.
/// </summary>
/// <remarks>Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, algorithm 2 and table 5.</remarks>
/// <param name="Amount">S_churn, finite and at least 0; 0 for none.</param>
/// <param name="SigmaMin">S_tmin, at least 0 (default): no churn below this σ.</param>
/// <param name="SigmaMax">S_tmax, at least S_tmin, infinity by default: no churn above this σ.</param>
/// <param name="NoiseScale">S_noise, finite and at least 0, 1 by default: the standard deviation of the noise; slightly above 1 it compensates for detail that the network loses.</param>
public sealed record Churn(double Amount, double SigmaMin = 0, double SigmaMax = double.PositiveInfinity, double NoiseScale = 1) : IValidatedOptions
{
    private static readonly double MaxGrowth = Math.Sqrt(2) - 1;

    /// <summary>No churn.</summary>
    public static Churn None { get; } = new(0);

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate() =>
    [
        .. OptionsValidation.Range(Amount, nameof(Amount), 0),
        .. OptionsValidation.Range(SigmaMin, nameof(SigmaMin), 0),
        .. SigmaMax >= SigmaMin ? [] : new[] { new OptionsError(nameof(SigmaMax), FormattableString.Invariant($"must be at least {nameof(SigmaMin)}, {SigmaMin}; it is {SigmaMax}.")) },
        .. OptionsValidation.Range(NoiseScale, nameof(NoiseScale), 0),
    ];

    /// <summary>The image and the level to step from, with noise added or unchanged.</summary>
    internal (Tensor Noisy, NoiseLevel Level) Apply(StepContext context)
    {
        var from = context.From;
        var growth = from.Ratio >= SigmaMin && from.Ratio <= SigmaMax && from.Alpha > 0 ? Math.Min(Amount / (context.Levels.Count - 1), MaxGrowth) : 0;
        if (growth <= 0)
        {
            return (context.Noisy, from);
        }

        var raised = context.Denoiser.Schedule.LevelWithRatio(from.Ratio * (1 + growth));
        var added = raised.Alpha * from.Ratio * Math.Sqrt(((1 + growth) * (1 + growth)) - 1) * NoiseScale;
        return (StepMath.Sum((raised.Alpha / from.Alpha, context.Noisy), (added, context.DrawNoise(raised, from))), raised);
    }
}
