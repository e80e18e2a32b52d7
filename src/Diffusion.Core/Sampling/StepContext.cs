using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The input of a sampler's step.</summary>
public sealed class StepContext
{
    private readonly NoiseSource _noise;
    private readonly SelfEstimate _estimate;

    internal StepContext(
        IDenoiser denoiser, Tensor noisy, IReadOnlyList<NoiseLevel> levels, int index, IReadOnlyList<PastStep> past, NoiseSource noise, SelfEstimate estimate)
    {
        Denoiser = denoiser;
        Noisy = noisy;
        Levels = levels;
        Index = index;
        Past = past;
        _noise = noise;
        _estimate = estimate;
    }

    /// <summary>Predicts clean images.</summary>
    public IDenoiser Denoiser { get; }

    /// <summary>x at level <see cref="From"/>, [B, C, H, W]; not to be changed or disposed.</summary>
    public Tensor Noisy { get; }

    /// <summary>The level of <see cref="Noisy"/>.</summary>
    public NoiseLevel From => Levels[Index];

    /// <summary>The level to go to.</summary>
    public NoiseLevel To => Levels[Index + 1];

    /// <summary>All levels of the run, the first and the last included.</summary>
    public IReadOnlyList<NoiseLevel> Levels { get; }

    /// <summary>The index of this step, from 0.</summary>
    public int Index { get; }

    /// <summary>Steps to do after this one.</summary>
    public int StepsLeft => Levels.Count - 2 - Index;

    /// <summary>The steps before this one, latest first: at most <see cref="Sampler.HistoryLength"/>, fewer at the start of a run.</summary>
    public IReadOnlyList<PastStep> Past { get; }

    /// <summary>x̂₀ at the current level.</summary>
    /// <returns>[B, C, H, W], limited as the denoiser limits it.</returns>
    public Tensor Denoise() => Denoise(Noisy, From);

    /// <summary>x̂₀ of another x or level, for samplers with several evaluations a step.</summary>
    /// <param name="noisy">x, [B, C, H, W].</param>
    /// <param name="level">The level of <paramref name="noisy"/>.</param>
    /// <returns>[B, C, H, W], limited as the denoiser limits it, in the type of <paramref name="noisy"/>.</returns>
    public Tensor Denoise(Tensor noisy, NoiseLevel level)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        var prediction = Predict(noisy, level);
        prediction.Variance?.Dispose();
        prediction.Unlimited?.Dispose();
        return prediction.Image;
    }

    /// <summary>x̂₀ at the current level and the learned variance, if the network has one.</summary>
    /// <returns>The prediction, limited as the denoiser limits it, in the type of <see cref="Noisy"/>.</returns>
    public Prediction Predict() => Predict(Noisy, From);

    /// <summary>The prediction for another x or level.</summary>
    /// <param name="noisy">x, [B, C, H, W].</param>
    /// <param name="level">The level of <paramref name="noisy"/>.</param>
    /// <returns>The prediction, limited as the denoiser limits it, in the type of <paramref name="noisy"/>.</returns>
    public Prediction Predict(Tensor noisy, NoiseLevel level)
    {
        ArgumentNullException.ThrowIfNull(noisy);
        var prediction = Denoiser.Predict(noisy, level, null, _estimate.For(noisy));
        _estimate.Set(prediction.Image);
        return new Prediction(Checked(noisy, prediction.Image), prediction.Variance is { } variance ? Checked(noisy, variance) : null)
        {
            Unlimited = prediction.Unlimited is { } unlimited ? Checked(noisy, unlimited) : null,
        };
    }

    /// <summary>Fresh standard normal noise for the step from <see cref="From"/> to <see cref="To"/>.</summary>
    /// <returns>The shape and type of <see cref="Noisy"/>, on its device.</returns>
    public Tensor DrawNoise() => DrawNoise(From, To);

    /// <summary>Standard normal noise for a step between two levels; a source that follows a path returns the increment of the path between them.</summary>
    /// <param name="from">The level the noise starts from.</param>
    /// <param name="to">The level it is added for.</param>
    /// <returns>The shape and type of <see cref="Noisy"/>, on its device.</returns>
    public Tensor DrawNoise(NoiseLevel from, NoiseLevel to) =>
        StepMath.Like(Noisy, _noise.Between(Noisy.shape, Noisy.device, StepMath.Clock(from), StepMath.Clock(to)));

    /// <summary>Whether the step begins and ends with the same share of noise, as the last one of some spacings does.</summary>
    internal bool StaysAtLevel => From.Sigma * To.Alpha == To.Sigma * From.Alpha;

    /// <summary>The same step as one of another run, between the same levels.</summary>
    internal StepContext Within(IReadOnlyList<NoiseLevel> levels, int index) => new(Denoiser, Noisy, levels, index, Past, _noise, _estimate);

    private static Tensor Checked(Tensor noisy, Tensor image) => image.shape.AsSpan().SequenceEqual(noisy.shape)
        ? StepMath.Like(noisy, image)
        : throw new InvalidOperationException($"The denoiser must return the shape of its input, [{string.Join(", ", noisy.shape)}]; it returned [{string.Join(", ", image.shape)}].");
}
