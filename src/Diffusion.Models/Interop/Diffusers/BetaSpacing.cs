namespace Diffusion.Models;

/// <summary>σ/α at the quantiles of a beta distribution with both parameters 0.6: many levels at both ends.</summary>
/// <remarks>Beta Sampling is All You Need, arXiv:2407.12173; the quantile by bisection of the distribution's power series (Abramowitz and Stegun, 26.5.4).</remarks>
internal sealed class BetaSpacing(double min, double max) : StepSpacing
{
    private const double Shape = 0.6;

    public override string Name => "beta";

    public override IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule, int? steps)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var count = steps ?? schedule.Timesteps;
        return
        [
            .. Enumerable.Range(0, count)
                .Select(i => min + (Quantile(count == 1 ? 1 : 1 - ((double)i / (count - 1))) * (max - min)))
                .Select(schedule.LevelWithRatio),
            NoiseLevel.Clean,
        ];
    }

    /// <summary>The value below which a share of the distribution lies.</summary>
    internal static double Quantile(double share)
    {
        if (share is 0 or 1)
        {
            return share;
        }

        if (share > 0.5)
        {
            return 1 - Quantile(1 - share); // both parameters are the same
        }

        var (low, high, half) = (0.0, 0.5, Series(0.5));
        for (var i = 0; i < 200; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = Series(middle) / (2 * half) < share ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }

    /// <summary>The distribution at x ≤ ½, but for a constant factor: x^a·(1 − x)^a·∑ ∏ (2a + k)/(a + 1 + k)·x^n.</summary>
    private static double Series(double x)
    {
        var (term, sum) = (1.0, 1.0);
        for (var k = 0; k < 200; k++)
        {
            term *= ((2 * Shape) + k) / (Shape + 1 + k) * x;
            sum += term;
        }

        return Math.Pow(x * (1 - x), Shape) * sum;
    }
}
