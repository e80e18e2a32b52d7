namespace Diffusion.Evaluation;

/// <summary>
/// The levels of the way from image to noise, evenly spaced in w = −2·arsinh(√(α/σ)): like ln(σ/α) near the image, and with pure noise, σ/α = ∞, at 0.
/// There are two from one step of the solver to the next.
/// </summary>
internal sealed class FlowPath
{
    private readonly NoiseLevel[] _levels;

    /// <summary>The way over the whole of a schedule.</summary>
    /// <param name="schedule">At least 2 timesteps.</param>
    /// <param name="steps">At least 1.</param>
    /// <param name="smallestRatio">σ/α where the way begins; <see langword="null"/> for the schedule's smallest.</param>
    /// <exception cref="ArgumentException">The schedule has one timestep only or begins without noise, or the smallest σ/α is outside of it.</exception>
    public FlowPath(INoiseSchedule schedule, int steps, double? smallestRatio)
    {
        if (schedule.Timesteps < 2)
        {
            throw new ArgumentException($"The likelihood by the probability flow needs a schedule of at least 2 timesteps; this one has {schedule.Timesteps}.", nameof(schedule));
        }

        var (first, last) = (schedule.LevelAt(0), schedule.LevelAt(schedule.Timesteps - 1));
        if (smallestRatio is { } ratio)
        {
            first = ratio >= first.Ratio && ratio < last.Ratio
                ? schedule.LevelWithRatio(ratio)
                : throw new ArgumentException(FormattableString.Invariant($"{nameof(ProbabilityFlowOptions.SmallestRatio)} must be in [{first.Ratio:g6}, {last.Ratio:g6}), σ/α of the schedule; it is {ratio:g6}."), nameof(smallestRatio));
        }

        if (first.Sigma == 0)
        {
            throw new ArgumentException($"There is no density without noise, and the first level of the schedule has none: give a {nameof(ProbabilityFlowOptions.SmallestRatio)} above 0.", nameof(schedule));
        }

        var (start, end) = (Position(first), Position(last));
        Width = (end - start) / steps;
        _levels = [.. Enumerable.Range(0, (2 * steps) + 1).Select(i => i == 0 ? first : i == 2 * steps ? last : schedule.LevelWithRatio(Ratio(start + (i * Width / 2))))];
    }

    /// <summary>The length of a step in w.</summary>
    public double Width { get; }

    /// <summary>The level of the image.</summary>
    public NoiseLevel First => _levels[0];

    /// <summary>The level of the noise.</summary>
    public NoiseLevel Last => _levels[^1];

    /// <summary>The number of steps.</summary>
    public int Steps => _levels.Length / 2;

    /// <summary>The levels at the beginning, in the middle and at the end of a step.</summary>
    public (NoiseLevel Begin, NoiseLevel Middle, NoiseLevel End) Step(int step) => (_levels[2 * step], _levels[(2 * step) + 1], _levels[(2 * step) + 2]);

    private static double Position(NoiseLevel level) => -2 * Math.Asinh(Math.Sqrt(level.Alpha / level.Sigma));

    private static double Ratio(double position) => 1 / Math.Pow(Math.Sinh(position / 2), 2);
}
