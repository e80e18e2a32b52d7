namespace Diffusion;

/// <summary>
/// The levels that a sampler visits, computed from a schedule and a number of steps. Immutable. Derive from it for a spacing of your own;
/// the common ones are the static members of this class.
/// </summary>
/// <remarks>
/// A step's target is always the next level of the list. By default the last level is the clean image, whatever the spacing (arXiv:2006.11239,
/// algorithm 2, ᾱ₀ = 1); <see cref="EndingAtSigmaMin"/> ends at the schedule's first timestep instead.
/// </remarks>
public abstract class StepSpacing
{
    /// <summary>Evenly spaced timesteps from T − 1 to 0, both included , rounded to integers: <c>timestep_spacing</c> "linspace" in diffusers. Its last step is from timestep 0 to the clean image: <see cref="Trailing"/> is better for multistep solvers.</summary>
    public static StepSpacing Linspace { get; } = Timesteps("linspace", TimestepGrid.Linspace);

    /// <summary>Multiples of the integer stride T/steps, from 0 upwards: the spacing of DDIM (arXiv:2305.08891, table 2, "leading"). Does not reach T − 1.</summary>
    public static StepSpacing Leading { get; } = Timesteps("leading", (timesteps, steps) => TimestepGrid.Leading(timesteps, steps));

    /// <summary>At distance T/steps, counted down from T − 1 (arXiv:2305.08891, table 2, "trailing"): good for every schedule and sampler. The default.</summary>
    public static StepSpacing Trailing { get; } = Timesteps("trailing", TimestepGrid.Trailing);

    /// <summary>Evenly in the logarithm of σ/α, which solvers of high order are made for.</summary>
    /// <remarks>DPM-Solver++, arXiv:2211.01095, section 5; the grid of Lu's code in λ = ln(α/σ).</remarks>
    public static StepSpacing LogSnr { get; } = new RatioSpacing("log-snr", (low, high, count) => SigmaRamp.PolyExponential(count, low, high, 1));

    /// <summary>The spacings without parameters, by <see cref="Name"/>.</summary>
    public static IReadOnlyList<StepSpacing> All { get; } = [Linspace, Leading, Trailing, LogSnr, Karras(), .. AlignedSpacing.Tables];

    /// <summary>The name that configuration files use.</summary>
    public abstract string Name { get; }

    /// <summary>Karras's ramp in σ/α: evenly in its ρ-th root, so that most steps are taken at low noise.</summary>
    /// <remarks>Elucidating the Design Space of Diffusion-Based Generative Models, arXiv:2206.00364, Eq. 5.</remarks>
    /// <param name="rho">ρ, above 0; 7 by default.</param>
    /// <param name="sigmaMin">The smallest σ/α, above 0; by default that of the schedule's first timestep.</param>
    /// <param name="sigmaMax">The largest σ/α; by default that of the schedule's last timestep.</param>
    /// <returns>The spacing.</returns>
    public static StepSpacing Karras(double rho = 7, double? sigmaMin = null, double? sigmaMax = null) =>
        new RatioSpacing("karras", (low, high, count) => SigmaRamp.Karras(count, sigmaMin ?? low, sigmaMax ?? high, rho));

    /// <summary>A ramp in ln(σ/α) that is linear in the ρ-th power of the position; ρ = 1 is exponential.</summary>
    /// <param name="rho">ρ, above 0; 1 by default.</param>
    /// <param name="sigmaMin">The smallest σ/α, above 0; by default that of the schedule's first timestep.</param>
    /// <param name="sigmaMax">The largest σ/α; by default that of the schedule's last timestep.</param>
    /// <returns>The spacing.</returns>
    public static StepSpacing PolyExponential(double rho = 1, double? sigmaMin = null, double? sigmaMax = null) =>
        new RatioSpacing("polyexponential", (low, high, count) => SigmaRamp.PolyExponential(count, sigmaMin ?? low, sigmaMax ?? high, rho));

    /// <summary>Exactly these timesteps; their count is the number of steps.</summary>
    /// <param name="timesteps">The timesteps to visit: strictly decreasing, none negative, at least one.</param>
    /// <returns>The spacing.</returns>
    /// <exception cref="ArgumentException">The list is empty, not decreasing, or has a negative timestep.</exception>
    public static StepSpacing Over(IEnumerable<int> timesteps)
    {
        var grid = timesteps as TimestepGrid ?? new TimestepGrid(timesteps);
        return Timesteps("timesteps", (_, _) => grid);
    }

    /// <summary>Exactly these timesteps, fractions included; their count is the number of steps. The network is asked for each as it is.</summary>
    /// <param name="timesteps">The timesteps to visit: strictly decreasing, none negative, at least one.</param>
    /// <returns>The spacing. <see cref="Levels"/> ends with an <see cref="ArgumentOutOfRangeException"/> where the schedule has no such timestep; between two whole ones its level is <see cref="INoiseSchedule.LevelAt(double)"/>.</returns>
    /// <exception cref="ArgumentException">The list is empty, not decreasing, or has a timestep that is negative or not a number.</exception>
    public static StepSpacing Over(IEnumerable<double> timesteps)
    {
        ArgumentNullException.ThrowIfNull(timesteps);
        double[] grid = [.. timesteps];
        TimestepGrid.ThrowUnlessDecreasing(grid, nameof(timesteps));
        return new LevelSpacing("timesteps", (schedule, _) => [.. grid.Select(schedule.LevelAt), NoiseLevel.Clean]);
    }

    /// <summary>
    /// Respacing as the improved-DDPM code writes it: "ddim25" for 25 timesteps at the smallest integer stride that gives exactly 25, or
    /// "10,15,20" for T divided into three equal sections with so many timesteps each, both ends of every section included.
    /// </summary>
    /// <remarks>Improved Denoising Diffusion Probabilistic Models, arXiv:2102.09672, section 4.</remarks>
    /// <param name="sections">"ddim" and a count, or counts separated by commas.</param>
    /// <returns>The spacing. <see cref="Levels"/> ends with an <see cref="ArgumentException"/> where the text is neither, or T cannot be divided so.</returns>
    public static StepSpacing Respaced(string sections)
    {
        ArgumentException.ThrowIfNullOrEmpty(sections);
        return Timesteps(sections, (timesteps, _) => TimestepGrid.Respaced(timesteps, sections));
    }

    /// <summary>Timesteps from T and the number of steps.</summary>
    internal static StepSpacing Timesteps(string name, Func<int, int, TimestepGrid> grid) =>
        new LevelSpacing(name, (schedule, steps) => [.. grid(schedule.Timesteps, steps ?? schedule.Timesteps).Select(schedule.LevelAt), NoiseLevel.Clean]);

    /// <summary>Exactly these levels, whatever the schedule.</summary>
    /// <param name="levels">From noise to image, the one to end at included; at least two.</param>
    /// <returns>The spacing.</returns>
    /// <exception cref="ArgumentException">There are fewer than two levels.</exception>
    public static StepSpacing Through(IEnumerable<NoiseLevel> levels)
    {
        ArgumentNullException.ThrowIfNull(levels);
        NoiseLevel[] all = [.. levels];
        return all.Length >= 2
            ? new LevelSpacing("levels", (_, _) => all)
            : throw new ArgumentException($"A run needs at least two levels, where it starts and where it ends; {all.Length} were given.", nameof(levels));
    }

    /// <summary>The levels to visit.</summary>
    /// <param name="schedule">The denoiser's schedule.</param>
    /// <param name="steps">The number of steps; <see langword="null"/> for as many as the schedule has timesteps.</param>
    /// <returns>From noise to image, the one to end at included: in general one more than there are steps.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The schedule has not enough timesteps for the number of steps.</exception>
    public abstract IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule, int? steps);

    /// <summary>This spacing, but ending at the level of the schedule's first timestep instead of at the clean image: <c>final_sigmas_type</c> "sigma_min" in diffusers.</summary>
    /// <returns>The spacing.</returns>
    public StepSpacing EndingAtSigmaMin() => new LevelSpacing(Name, (schedule, steps) =>
    {
        var levels = Levels(schedule, steps);
        var min = schedule.LevelAt(0);
        var before = levels[^2];
        return before.Sigma * min.Alpha > min.Sigma * before.Alpha ? [.. levels.SkipLast(1), min] : [.. levels.SkipLast(1)];
    });

    /// <inheritdoc/>
    public sealed override string ToString() => Name;
}
