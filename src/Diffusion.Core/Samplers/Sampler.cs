using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Goes through a list of levels from noise to image. The loop is here: levels, history, noise, memory, progress and cancellation;
/// a sampler implements one <see cref="Step"/>. Samplers are immutable and safe to share between threads.
/// </summary>
public abstract class Sampler
{
    private readonly int? _steps;
    private ImageLimit _limit = ImageLimit.None;
    private Func<NoiseLevel, double> _start;

    /// <summary>Sets the steps.</summary>
    /// <param name="steps">The number of steps, at least 1; <see langword="null"/> (default) for the spacing's own, in general all timesteps of the schedule.</param>
    /// <param name="options">The options, checked here; without a spacing <see cref="StepSpacing.Trailing"/>.</param>
    /// <exception cref="ArgumentOutOfRangeException">The number of steps is below 1.</exception>
    /// <exception cref="ArgumentException">The options are out of range; the message lists all mistakes.</exception>
    protected Sampler(int? steps = null, SamplerOptions? options = null)
    {
        if (steps is { } count)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(count, 1, nameof(steps));
        }

        options?.ThrowIfInvalid(nameof(options));
        _steps = steps;
        Spacing = options?.Spacing ?? StepSpacing.Trailing;
        _start = options?.StartsAtSigma == true ? level => level.Sigma : level => level.Scale;
    }

    /// <summary>The names that <see cref="Create"/>, configuration files and command lines know.</summary>
    public static IReadOnlyList<string> Names => SamplerCatalog.Names;

    /// <summary>Where the steps lie.</summary>
    public StepSpacing Spacing { get; }

    /// <summary>How many past steps <see cref="StepContext.Past"/> holds; 0 by default.</summary>
    protected internal virtual int HistoryLength => 0;

    /// <summary>The type in which x is kept between steps; <see langword="null"/> (default) for the type of the start, in general Float32.</summary>
    protected internal virtual ScalarType? StateType => null;

    /// <summary>The limit on x̂₀ that the sampler stands for, beside that of the denoiser; none but for those of diffusers' schedulers, which clip whatever denoiser they are given.</summary>
    internal virtual ImageLimit Limit => _limit;

    /// <summary>Whether the sampler implements steps towards more noise; if not, they are forward diffusion.</summary>
    internal virtual bool Ascends => false;

    /// <summary>A sampler of this library by its name, with the settings usual for it.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <param name="steps">The number of steps; <see langword="null"/> for the sampler's own default, in general all timesteps.</param>
    /// <param name="spacing">Where they lie; <see langword="null"/> for the sampler's own default.</param>
    /// <returns>The sampler.</returns>
    /// <exception cref="ArgumentException">There is no such sampler; the message lists those that there are.</exception>
    public static Sampler Create(string name, int? steps = null, StepSpacing? spacing = null) => SamplerCatalog.Create(name, steps, spacing);

    /// <summary>The levels that a run visits, noisiest first, the one it ends at included: one more than there are steps.</summary>
    /// <param name="schedule">The denoiser's schedule.</param>
    /// <returns>At least two levels.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The schedule has not enough timesteps for the number of steps.</exception>
    /// <exception cref="ArgumentException">The spacing leaves fewer than two levels, as <see cref="StepSpacing.EndingAtSigmaMin"/> does of one step that begins there.</exception>
    public virtual IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var levels = Spacing.Levels(schedule, _steps);
        return levels.Count >= 2
            ? levels
            : throw new ArgumentException($"The spacing '{Spacing}' has {levels.Count} level(s){(_steps is { } steps ? $" for {steps} step(s)" : "")} in a schedule of {schedule.Timesteps} timesteps: a run needs at least two, where it starts and where it ends. Take more steps, or another spacing.");
    }

    /// <summary>Makes images from noise.</summary>
    /// <param name="denoiser">The trained network.</param>
    /// <param name="shape">Shape of the images, [B, C, H, W].</param>
    /// <param name="seed">The noise of image <c>i</c> of the batch depends on the seed and <c>i</c> only, not on the batch size.</param>
    /// <param name="progress">Receives the state after each step.</param>
    /// <param name="onStep">Called after each step, on this thread, with x_t and x̂₀; the tensors live until it returns.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>Float32 images, [B, C, H, W], in [−1, 1] to the accuracy of the network (or of its <see cref="ImageLimit"/>), on the denoiser's device, for the caller to dispose.</returns>
    /// <exception cref="ArgumentException">The shape does not have four dimensions, each at least 1.</exception>
    /// <exception cref="OperationCanceledException">The run was cancelled.</exception>
    public Tensor Sample(
        IDenoiser denoiser,
        ReadOnlySpan<long> shape,
        long seed,
        IProgress<(int Step, int Steps)>? progress = null,
        Action<SamplingStep>? onStep = null,
        CancellationToken cancellationToken = default)
    {
        using var noise = CreateNoise(seed);
        return SampleFrom(denoiser, shape, noise, progress, onStep, cancellationToken);
    }

    /// <summary>Makes images with noise from a source: its first draw is the start, the others are for steps that add noise.</summary>
    /// <inheritdoc cref="Sample(IDenoiser, ReadOnlySpan{long}, long, IProgress{ValueTuple{int, int}}?, Action{SamplingStep}?, CancellationToken)" path="/remarks|/returns|/exception"/>
    /// <param name="denoiser">The trained network.</param>
    /// <param name="shape">Shape of the images, [B, C, H, W].</param>
    /// <param name="noise">Where the noise comes from.</param>
    /// <param name="progress">Receives the state after each step.</param>
    /// <param name="onStep">Called after each step, on this thread, with x_t and x̂₀; the tensors live until it returns.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    public Tensor SampleFrom(
        IDenoiser denoiser,
        ReadOnlySpan<long> shape,
        NoiseSource noise,
        IProgress<(int Step, int Steps)>? progress = null,
        Action<SamplingStep>? onStep = null,
        CancellationToken cancellationToken = default)
    {
        using var run = Start(denoiser, shape, noise, keepWeights: onStep is null && progress is null);
        return Drain(run, progress, onStep, cancellationToken);
    }

    /// <summary>Samples from a noisy image instead of from pure noise: the base of image-to-image, inpainting and interpolation.</summary>
    /// <inheritdoc cref="Sample(IDenoiser, ReadOnlySpan{long}, long, IProgress{ValueTuple{int, int}}?, Action{SamplingStep}?, CancellationToken)" path="/remarks|/returns|/exception"/>
    /// <param name="denoiser">The trained network.</param>
    /// <param name="noisy">x at level <paramref name="firstStep"/> of <see cref="Levels"/>, [B, C, H, W]; not changed.</param>
    /// <param name="noise">Where the noise of the steps comes from.</param>
    /// <param name="firstStep">The step to begin with, from 0 (default) to the number of steps.</param>
    /// <param name="progress">Receives the state after each step.</param>
    /// <param name="onStep">Called after each step, on this thread, with x_t and x̂₀; the tensors live until it returns.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <exception cref="ArgumentOutOfRangeException">There is no such step.</exception>
    public Tensor Continue(
        IDenoiser denoiser,
        Tensor noisy,
        NoiseSource noise,
        int firstStep = 0,
        IProgress<(int Step, int Steps)>? progress = null,
        Action<SamplingStep>? onStep = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        ArgumentNullException.ThrowIfNull(noisy);
        ArgumentNullException.ThrowIfNull(noise);
        ThrowUnlessImages(noisy.shape, nameof(noisy));
        var levels = Levels(denoiser.Schedule);
        if (firstStep < 0 || firstStep >= levels.Count)
        {
            throw new ArgumentOutOfRangeException(nameof(firstStep), firstStep, $"The first step must be in [0, {levels.Count - 1}], the number of steps.");
        }

        using var run = new SamplingRun(this, denoiser, levels, firstStep, noisy, noise, keepWeights: onStep is null && progress is null);
        return Drain(run, progress, onStep, cancellationToken);
    }

    /// <summary>Makes images step by step, for a <see langword="foreach"/>: only the latest step is kept. The loop may end after any step.</summary>
    /// <param name="denoiser">The trained network.</param>
    /// <param name="shape">Shape of the images, [B, C, H, W].</param>
    /// <param name="seed">As for <see cref="Sample"/>: the last step's <see cref="SamplingStep.Noisy"/> has the same bits.</param>
    /// <param name="cancellationToken">Checked before each step.</param>
    /// <returns>The steps; the tensors of each live until the next: clone those to keep.</returns>
    /// <exception cref="ArgumentException">The shape does not have four dimensions, each at least 1.</exception>
    public IEnumerable<SamplingStep> Steps(IDenoiser denoiser, ReadOnlySpan<long> shape, long seed, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        ThrowUnlessImages(shape, nameof(shape));
        return Enumerate(denoiser, shape.ToArray(), seed, cancellationToken);
    }

    /// <summary>One step. Runs without gradients and in a dispose scope of its own: temporaries need not be disposed.</summary>
    /// <param name="context">The state of the run.</param>
    /// <returns>x at the level <see cref="StepContext.To"/>, and x̂₀: tensors made in this step.</returns>
    protected abstract StepResult Step(StepContext context);

    /// <summary>The noise of a run with a seed; independent draws by default.</summary>
    /// <param name="seed">The seed.</param>
    /// <returns>The source, disposed at the end of the run.</returns>
    protected internal virtual NoiseSource CreateNoise(long seed) => new SeededNoise(seed);

    /// <summary>The same sampler with a limit on x̂₀.</summary>
    internal Sampler Limiting(ImageLimit limit)
    {
        var copy = (Sampler)MemberwiseClone();
        copy._limit = limit;
        return copy;
    }

    /// <summary>The same sampler with another start.</summary>
    /// <param name="deviation">From the first level to the standard deviation of the noise that a run begins with.</param>
    internal Sampler Starting(Func<NoiseLevel, double> deviation)
    {
        var copy = (Sampler)MemberwiseClone();
        copy._start = deviation;
        return copy;
    }

    /// <summary>The standard deviation of the noise that a run begins with.</summary>
    internal virtual double StartDeviation(NoiseLevel first) => _start(first);

    /// <summary>Whether a step of a run goes to more noise.</summary>
    internal virtual bool GoesBack(IReadOnlyList<NoiseLevel> levels, int index) =>
        levels[index + 1].Sigma * levels[index].Alpha > levels[index].Sigma * levels[index + 1].Alpha;

    internal StepResult Take(StepContext context) => Step(context);

    private static Tensor Drain(SamplingRun run, IProgress<(int Step, int Steps)>? progress, Action<SamplingStep>? onStep, CancellationToken cancellationToken)
    {
        while (run.Next(cancellationToken) is { } step)
        {
            onStep?.Invoke(step);
            progress?.Report(run.Progress);
        }

        return run.Result();
    }

    private static void ThrowUnlessImages(ReadOnlySpan<long> shape, string name)
    {
        if (shape.Length != 4 || shape.ContainsAnyInRange(long.MinValue, 0))
        {
            throw new ArgumentException($"The shape must be [images, channels, height, width], all at least 1; it is [{string.Join(", ", shape.ToArray())}].", name);
        }
    }

    private SamplingRun Start(IDenoiser denoiser, ReadOnlySpan<long> shape, NoiseSource noise, bool keepWeights)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        ArgumentNullException.ThrowIfNull(noise);
        ThrowUnlessImages(shape, nameof(shape));
        var levels = Levels(denoiser.Schedule);
        using var scope = NewDisposeScope();
        using var scale = StartDeviation(levels[0]).ToScalar();
        using var start = noise.Draw(shape, denoiser.Device).mul_(scale);
        return new SamplingRun(this, denoiser, levels, 0, start, noise, keepWeights);
    }

    private IEnumerable<SamplingStep> Enumerate(IDenoiser denoiser, long[] shape, long seed, CancellationToken cancellationToken)
    {
        using var noise = CreateNoise(seed);
        using var run = Start(denoiser, shape, noise, keepWeights: false); // the caller may use the network between the steps
        while (run.Next(cancellationToken) is { } step)
        {
            yield return step;
        }
    }
}
