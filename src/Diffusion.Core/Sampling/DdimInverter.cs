using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// DDIM run backwards, from an image to the noise that DDIM makes it from. Give the image to <see cref="Sampler.Continue"/>; sampling deterministically from the
/// result over the same steps gives the image back, the better the more steps.
/// </summary>
/// <remarks>
/// Denoising Diffusion Implicit Models, arXiv:2010.02502, section 4.3, Eq. 13 solved upwards. ε̂ is taken at the level where the step begins, as the ADM code
/// has it, or with the timestep where it ends, as diffusers has it. ε̂ stays as predicted where x̂₀ is limited. x is kept in Float64: at the clean image ε̂ is a limit, taken at σ = 1e-6.
/// </remarks>
public sealed class DdimInverter : Sampler
{
    private const double NoNoise = 1e-6;

    private readonly bool _atTarget;

    /// <summary>Makes the inverter.</summary>
    /// <param name="steps">The number of steps; <see langword="null"/> (default) for all T.</param>
    /// <param name="spacing">Where they lie; trailing by default. Levels in falling order are walked backwards.</param>
    /// <param name="atTarget">Whether the network is told the timestep at the end of the step instead of at its start (default).</param>
    public DdimInverter(int? steps = null, StepSpacing? spacing = null, bool atTarget = false)
        : base(steps, spacing) =>
        _atTarget = atTarget;

    /// <inheritdoc/>
    protected internal override ScalarType? StateType => ScalarType.Float64;

    internal override bool Ascends => true;

    /// <inheritdoc/>
    public override IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule)
    {
        var levels = base.Levels(schedule);
        return levels[0].Sigma * levels[^1].Alpha > levels[^1].Sigma * levels[0].Alpha ? [.. levels.Reverse()] : levels;
    }

    /// <inheritdoc/>
    protected override StepResult Step(StepContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        var (from, to) = (context.From, context.To);
        var timestep = _atTarget || from.Timestep < 0 ? to.Timestep : from.Timestep;
        var asked = new NoiseLevel(from.Alpha, Math.Max(from.Sigma, NoNoise), timestep);
        var prediction = context.Predict(context.Noisy, asked);
        var noise = StepMath.NoiseOf(context.Noisy, prediction.Unlimited ?? prediction.Image, asked);
        return new StepResult(StepMath.Sum((to.Alpha, prediction.Image), (to.Sigma, noise)), prediction.Image);
    }
}
