using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Pseudo linear multistep (PLMS, or PNDM with a Runge–Kutta start): Adams–Bashforth coefficients on predictions, moved from level to level by the DDIM formula.
/// Its coefficients are those of equal steps in the timestep: use it with <see cref="StepSpacing.Trailing"/>, linspace or leading. It extrapolates ε̂ and is
/// unstable where almost nothing of the image is left: not for the cosine schedule with few steps.
/// </summary>
/// <remarks>Pseudo Numerical Methods for Diffusion Models on Manifolds, arXiv:2202.09778, algorithms 1 and 2, Eq. 12 and 13.</remarks>
public sealed class PndmSampler : Sampler
{
    private const int PastSlopes = 3;

    private readonly PndmOptions _options;

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for all T.</param>
    /// <param name="options">Spacing, start and the form of the predictions.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    public PndmSampler(int? steps = null, PndmOptions? options = null)
        : base(steps, options) => _options = options ?? new PndmOptions();

    /// <inheritdoc/>
    protected internal override int HistoryLength => PastSlopes;

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (noisy, from, to) = (context.Noisy, context.From, context.To);
        var image = context.Denoise();
        if (from.Alpha == 0)
        {
            return new StepResult(StepMath.FirstOrder(noisy, image, from, to), image);
        }

        var now = Prediction(noisy, image, from);
        Tensor[] past = [.. context.Past.Where(step => step.Level.Alpha > 0).Select(step => Prediction(step.Noisy, step.Image, step.Level))];
        var used = past.Length switch
        {
            < PastSlopes when _options.RungeKutta && to.Sigma > 0 => RungeKutta(context, now),
            0 => to.Sigma > 0 ? StepMath.Sum((0.5, now), (0.5, After(context, now, to))) : now,
            1 => StepMath.Sum((3 / 2.0, now), (-1 / 2.0, past[0])),
            2 => StepMath.Sum((23 / 12.0, now), (-16 / 12.0, past[0]), (5 / 12.0, past[1])),
            _ => StepMath.Sum((55 / 24.0, now), (-59 / 24.0, past[0]), (37 / 24.0, past[1]), (-9 / 24.0, past[2])),
        };
        return new StepResult(Move(context, used, to), image);
    }

    private Tensor RungeKutta(StepContext context, Tensor first)
    {
        var (from, to) = (context.From, context.To);
        var middle = Middle(context.Denoiser.Schedule, from, to);
        var second = After(context, first, middle);
        var third = After(context, second, middle);
        var fourth = After(context, third, to);
        return StepMath.Sum((1 / 6.0, first), (1 / 3.0, second), (1 / 3.0, third), (1 / 6.0, fourth));
    }

    /// <summary>The integer timestep in the middle, or, for levels that are not those of integer timesteps, the middle in ln(σ/α).</summary>
    private static NoiseLevel Middle(INoiseSchedule schedule, NoiseLevel from, NoiseLevel to)
    {
        bool IsTimestep(NoiseLevel level) => double.IsInteger(level.Timestep) && level.Timestep >= 0 && level.Timestep < schedule.Timesteps
            && schedule.LevelAt((int)level.Timestep) == level;
        return IsTimestep(from) && IsTimestep(to)
            ? schedule.LevelAt((int)(to.Timestep + Math.Floor((from.Timestep - to.Timestep) / 2)))
            : schedule.LevelWithRatio(Math.Sqrt(from.Ratio * to.Ratio));
    }

    /// <summary>x at another level for a constant prediction.</summary>
    private Tensor Move(StepContext context, Tensor prediction, NoiseLevel to)
    {
        var image = _options.Combined.ToImage(context.Noisy, prediction, [context.From]);
        return StepMath.FirstOrder(context.Noisy, image, context.From, to);
    }

    /// <summary>The prediction after a step to a level along the given one.</summary>
    private Tensor After(StepContext context, Tensor prediction, NoiseLevel level)
    {
        var noisy = Move(context, prediction, level);
        return Prediction(noisy, context.Denoise(noisy, level), level);
    }

    private Tensor Prediction(Tensor noisy, Tensor image, NoiseLevel level)
    {
        var (skip, scale, _) = _options.Combined.At(level);
        return StepMath.Sum((1 / scale, image), (-skip / scale, noisy));
    }
}
