using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Ancestral sampling: at each step x is drawn from the posterior around the predicted image, over all timesteps or an even subset.</summary>
/// <remarks>
/// Denoising Diffusion Probabilistic Models, arXiv:2006.11239, algorithm 2, with the posterior variance β̃_t.
/// On a subset of the steps the variances are those between the visited levels (Improved DDPM, arXiv:2102.09672, section 4).
/// </remarks>
public sealed class DdpmSampler : Sampler
{
    private readonly int? _steps;
    private readonly TimestepGrid? _grid;
    private readonly Clipping _clipping;

    /// <summary>A sampler over all timesteps, or over a number of evenly spaced ones.</summary>
    /// <param name="steps">The number of steps, in [1, T]; <see langword="null"/> (default) for all T.</param>
    /// <param name="clipping">What is done to x̂₀; by default it is clipped to [−1, 1] and used so.</param>
    public DdpmSampler(int? steps = null, Clipping clipping = Clipping.Use)
        : this(null, steps, clipping)
    {
        if (steps is { } count)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(steps));
        }
    }

    private DdpmSampler(TimestepGrid? grid, int? steps, Clipping clipping)
    {
        _grid = grid;
        _steps = steps;
        _clipping = Enum.IsDefined(clipping) ? clipping : throw new ArgumentOutOfRangeException(nameof(clipping), clipping, "Not a kind of clipping.");
    }

    /// <summary>A sampler over the given timesteps.</summary>
    /// <param name="grid">The timesteps to visit.</param>
    /// <param name="clipping">What is done to x̂₀; by default it is clipped to [−1, 1] and used so.</param>
    /// <returns>The sampler.</returns>
    public static DdpmSampler Over(TimestepGrid grid, Clipping clipping = Clipping.Use)
    {
        ArgumentNullException.ThrowIfNull(grid);
        return new DdpmSampler(grid, null, clipping);
    }

    /// <inheritdoc/>
    protected override IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var grid = _grid ?? TimestepGrid.Evenly(schedule.Timesteps, _steps ?? schedule.Timesteps);
        return [.. grid.Select(schedule.LevelAt)];
    }

    /// <inheritdoc/>
    protected override (Tensor Next, Tensor Image) Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var image = context.Denoise();
        var reported = _clipping == Clipping.None ? image : image.clamp(-1, 1);
        var noise = context.To.Sigma > 0 ? context.DrawNoise() : null;
        var next = ReverseProcess.Ancestral(context.Noisy, _clipping == Clipping.Use ? reported : image, context.From, context.To, noise);
        return (next, reported);
    }
}
