using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// DDIM in the direction of the noise: from an image to the noise that deterministic DDIM sampling maps to it. Call <see cref="Sampler.Continue"/> with the image; sampling
/// from the result over the same steps reconstructs the image, with an error that falls with the number of steps.
/// </summary>
/// <remarks>
/// Denoising Diffusion Implicit Models, arXiv:2010.02502, section 4.3, Eq. 13 solved upwards. ε̂ is predicted at the level at which the step begins, with its timestep, as in the
/// code of ADM; diffusers conditions the network on the timestep at which the step ends: levels with those timesteps do the same. Where x̂₀ is limited, ε̂ stays as
/// predicted. x is kept in Float64; at the clean image ε̂ is a limit, taken at σ = 1e-6. A network that predicts the image has none there: its error would be taken for noise of a millionth's
/// deviation. It is asked at the level at which the step ends, where ε̂ = (x − α·x̂₀)/σ.
/// </remarks>
internal sealed class DdimInverter : Sampler
{
    private const double NoNoise = 1e-6;
    private const double MaxGain = 1000; // of ε̂ over what the network puts out; 1 for ε, v and flow

    /// <summary>Makes the sampler.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for all T.</param>
    /// <param name="options">Spacing; levels in order of falling noise are visited backwards.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are those of another sampler.</exception>
    public DdimInverter(int? steps = null, SamplerOptions? options = null)
        : base(steps, options)
    {
        if (options is not null && options.GetType() != typeof(SamplerOptions))
        {
            throw new ArgumentException($"{nameof(DdimInverter)} takes {nameof(SamplerOptions)}; {options.GetType().Name} has options that it does not use.", nameof(options));
        }
    }

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
        var timestep = from.Timestep < 0 ? to.Timestep : from.Timestep; // the clean image has none
        var asked = new NoiseLevel(from.Alpha, Math.Max(from.Sigma, NoNoise), timestep);
        var ofImage = from.Sigma < NoNoise && DenoiserRun.Parameterization(context.Denoiser) is { } prediction && Math.Abs(prediction.At(asked).Out) > MaxGain * asked.Sigma;
        return ofImage
            ? Inverted(context, to.Alpha > 0 ? new NoiseLevel(to.Alpha, to.Sigma, timestep) : context.Denoiser.Schedule.LevelAt(0), DenoiserRun.LimitImage(context.Denoiser, context.Noisy))
            : Inverted(context, asked, null);
    }

    /// <param name="context">The step.</param>
    /// <param name="asked">The level at which ε̂ is predicted.</param>
    /// <param name="image">x̂₀; <see langword="null"/> for the predicted one.</param>
    private static StepResult Inverted(StepContext context, NoiseLevel asked, Tensor? image)
    {
        var prediction = context.Predict(context.Noisy, asked);
        var noise = StepMath.NoiseOf(context.Noisy, prediction.Unlimited ?? prediction.Image, asked);
        image ??= prediction.Image;
        return new StepResult(StepMath.Sum((context.To.Alpha, image), (context.To.Sigma, noise)), image);
    }
}
