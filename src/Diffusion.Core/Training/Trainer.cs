using System.Diagnostics;
using System.Reflection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Trains a network to undo noise. A run is a function of the network's weights, the images and the options: everything random in a step
/// comes from the seed and the step's number, so a run that is stopped and resumed ends with the same bits as one that was not.
/// </summary>
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, algorithm 1.</remarks>
public sealed partial class Trainer : IDisposable
{
    private readonly nn.Module _network;
    private readonly TrainingLoss _loss;
    private readonly ILogger _logger;
    private readonly TrainerState _state;
    private readonly Lock _exclusive = new();
    private int _imageCount;

    /// <summary>Makes a trainer; no step is done yet. Move the network to its device first.</summary>
    /// <param name="network">Takes noisy images [B, C, H, W] and timesteps [B] (Int64, or Float32 where the schedule or the objective gives fractions) and returns [B, C, H, W]; twice the channels as <see cref="TrainingLoss"/> says. Its parameters are Float32. The caller keeps owning it.</param>
    /// <param name="schedule">How noisy an image is at each timestep.</param>
    /// <param name="options">Steps, batch size, learning rate and more; the defaults if <see langword="null"/>.</param>
    /// <param name="parameterization">What the network learns to predict; the noise ε by default.</param>
    /// <param name="logger">Where progress is logged; nowhere by default.</param>
    /// <param name="objective">What the network is trained for; by default the mean squared error at evenly drawn timesteps.</param>
    /// <exception cref="ArgumentException">The options or the objective have mistakes (the message lists all), or the network has nothing to train.</exception>
    public Trainer(
        nn.Module<Tensor, Tensor, Tensor> network,
        INoiseSchedule schedule,
        TrainerOptions? options = null,
        Parameterization? parameterization = null,
        ILogger? logger = null,
        TrainingObjective? objective = null)
        : this(
            network,
            options,
            logger,
            new TrainingLoss(network, schedule, parameterization ?? Parameterization.Epsilon, objective ?? new TrainingObjective()),
            DenoiserOf(new NetworkDenoiser(network, schedule, parameterization), objective),
            null)
    {
    }

    private Trainer(nn.Module network, TrainerOptions? options, ILogger? logger, TrainingLoss loss, IDenoiser denoiser, ConditionalDenoiser? conditional)
    {
        Options = options ?? new TrainerOptions();
        Options.ThrowIfInvalid(nameof(options));
        _network = network;
        _loss = loss;
        _logger = logger ?? NullLogger.Instance;
        _state = new TrainerState(network, Options, _loss.History);
        Denoiser = denoiser;
        Conditional = conditional;
    }

    /// <summary>The options of the run.</summary>
    public TrainerOptions Options { get; }

    /// <summary>Optimizer steps done, those before a resume included.</summary>
    public int StepsDone => _state.Step;

    /// <summary>The network as trained so far; of a network that is told labels, without one.</summary>
    public IDenoiser Denoiser { get; }

    /// <summary>The network with the moving average of its weights: the one to sample from. Lives as long as the trainer.</summary>
    public IDenoiser Ema => Averaged(Denoiser);

    /// <summary>The network that is told labels, as trained so far, to bind labels to; <see langword="null"/> for one that is not.</summary>
    public ConditionalDenoiser? Conditional { get; }

    /// <summary>Makes a trainer for a network that is told labels; no step is done yet. Move the network to its device first.</summary>
    /// <param name="network">As for <see cref="Trainer(nn.Module{Tensor, Tensor, Tensor}, INoiseSchedule, TrainerOptions?, Parameterization?, ILogger?, TrainingObjective?)"/>, with labels [B] (Int64) as its third argument.</param>
    /// <param name="labels">The null label and how often it is given.</param>
    /// <param name="schedule">How noisy an image is at each timestep.</param>
    /// <param name="options">Steps, batch size, learning rate and more; the defaults if <see langword="null"/>.</param>
    /// <param name="parameterization">What the network learns to predict; the noise ε by default.</param>
    /// <param name="logger">Where progress is logged; nowhere by default.</param>
    /// <param name="objective">What the network is trained for, without self-conditioning; by default the mean squared error at evenly drawn timesteps.</param>
    /// <returns>The trainer.</returns>
    /// <exception cref="ArgumentException">The options, labels or objective have mistakes, or the network has nothing to train.</exception>
    public static Trainer WithLabels(
        nn.Module<Tensor, Tensor, Tensor, Tensor> network,
        LabelTrainingOptions labels,
        INoiseSchedule schedule,
        TrainerOptions? options = null,
        Parameterization? parameterization = null,
        ILogger? logger = null,
        TrainingObjective? objective = null)
    {
        ArgumentNullException.ThrowIfNull(labels);
        if (objective?.SelfConditioning is not null)
        {
            throw new ArgumentException($"A network that is told labels is trained without self-conditioning; {nameof(TrainingObjective.SelfConditioning)} is {objective.SelfConditioning}.", nameof(objective));
        }

        var kind = parameterization ?? Parameterization.Epsilon;
        var loss = TrainingLoss.WithLabels(network, labels, schedule, kind, objective ?? new TrainingObjective());
        var conditional = new ConditionalDenoiser(network, schedule, kind, labels.NullLabel);
        return new Trainer(network, options, logger, loss, conditional.NullLabel is null ? new UnboundDenoiser(conditional) : conditional.Unlabelled, conditional);
    }

    /// <summary>A denoiser of the trained network, run with the moving average of the weights: <c>trainer.Averaged(trainer.Conditional.Guided(labels, 3))</c>.</summary>
    /// <param name="denoiser">A denoiser that runs the trained network.</param>
    /// <returns>The denoiser with averaged weights. Lives as long as the trainer.</returns>
    public IDenoiser Averaged(IDenoiser denoiser)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        return new EmaDenoiser(denoiser, _state.Parameters.Values, _state.Ema.Values, _exclusive);
    }

    /// <summary>Trains to the end of the run, writing checkpoints as <see cref="CheckpointOptions"/> says, and one at the end.</summary>
    /// <param name="images">The training images.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="stopAfter">Ends this call, with a checkpoint, after so many steps of the longer run; <see langword="null"/>: at the end of the run.</param>
    /// <param name="cancellationToken">Checked after every step; a checkpoint is written before the exception is thrown.</param>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The loss is not a number any more, or the network was moved after the trainer was made.</exception>
    public void Fit(IImageSource images, IProgress<TrainingStep>? progress = null, int? stopAfter = null, CancellationToken cancellationToken = default)
    {
        if (stopAfter is { } limit)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1, nameof(stopAfter));
        }

        ArgumentNullException.ThrowIfNull(images);
        var saved = StepsDone;
        var total = Options.StepsFor(images.Count);
        try
        {
            foreach (var step in Steps(images).Take(stopAfter ?? int.MaxValue))
            {
                progress?.Report(step);
                if (step.Number % Options.LogEvery == 0 || step.Number == total)
                {
                    LogStep(step.Number, total, step.Loss, step.Images / step.Duration.TotalSeconds);
                }

                if (Options.Checkpoints.Folder is { } folder && step.Number % Options.Checkpoints.Every == 0)
                {
                    Save(folder);
                    saved = step.Number;
                }

                cancellationToken.ThrowIfCancellationRequested();
            }
        }
        finally
        {
            if (Options.Checkpoints.Folder is { } folder && saved != StepsDone)
            {
                Save(folder);
            }
        }
    }

    /// <summary>Trains step by step: each element is a step that has just been done. Stop whenever you like; enumerate again to go on.</summary>
    /// <param name="images">The training images.</param>
    /// <returns>The steps from <see cref="StepsDone"/> + 1 to the end of the run.</returns>
    /// <exception cref="InvalidOperationException">The loss is not a number any more, or the network was moved after the trainer was made.</exception>
    public IEnumerable<TrainingStep> Steps(IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (_imageCount != 0 && _imageCount != images.Count)
        {
            throw new InvalidOperationException($"The run was started on {_imageCount} images; '{images.Name}' has {images.Count}. The order of the images would not be that of the run.");
        }

        _imageCount = images.Count;
        _state.Parameters.ThrowIfReplaced();
        return Enumerate(images, new BatchOrder(images.Count, Options.BatchSize, Options.Seed));
    }

    /// <summary>Writes a checkpoint and deletes those beyond <see cref="CheckpointOptions.Keep"/>.</summary>
    /// <param name="folder">The folder of the run's checkpoints.</param>
    /// <returns>The checkpoint.</returns>
    /// <exception cref="IOException">The folder cannot be written to, or the disk is full; older checkpoints are intact.</exception>
    public Checkpoint Save(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        lock (_exclusive)
        {
            var library = typeof(Trainer).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "unknown";
            var manifest = new CheckpointManifest(
                CheckpointManifest.CurrentSchema, StepsDone, Options.Seed, Options.BatchSize, _imageCount, library, new Dictionary<string, CheckpointFile>());
            var checkpoint = _state.Save(folder, manifest, Options.Checkpoints.Metadata);
            foreach (var old in Checkpoint.List(folder).Where(path => path != checkpoint.Folder).Skip(Options.Checkpoints.Keep - 1))
            {
                Directory.Delete(old, recursive: true);
            }

            LogSaved(checkpoint.Folder);
            return checkpoint;
        }
    }

    /// <summary>Writes the trained weights for use elsewhere: <c>model.safetensors</c> and, averaged, <c>ema.safetensors</c>.</summary>
    /// <param name="folder">Where the files go; created if need be.</param>
    public void Export(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        lock (_exclusive)
        {
            _state.Export(folder, Options.Checkpoints.Metadata);
        }
    }

    /// <summary>Goes on from the newest whole checkpoint.</summary>
    /// <param name="folder">The folder of the run's checkpoints.</param>
    /// <returns>Whether there was one; if not, the run begins at its first step.</returns>
    /// <exception cref="InvalidDataException">The checkpoint is of another run: other seed, batch size or network. The message names both values.</exception>
    public bool Resume(string folder)
    {
        var checkpoint = Checkpoint.Newest(folder, LogSkipped);
        if (checkpoint is null)
        {
            return false;
        }

        var manifest = checkpoint.Manifest;
        if (manifest.Seed != Options.Seed || manifest.BatchSize != Options.BatchSize)
        {
            throw new InvalidDataException($"'{checkpoint.Folder}' was made with seed {manifest.Seed} and batch size {manifest.BatchSize}; the options say {Options.Seed} and {Options.BatchSize}. Resume with the same values.");
        }

        lock (_exclusive)
        {
            _state.Load(checkpoint);
        }

        _imageCount = manifest.ImageCount;
        LogResumed(checkpoint.Folder);
        return true;
    }

    /// <inheritdoc/>
    public void Dispose() => _state.Dispose();

    private static IDenoiser DenoiserOf(NetworkDenoiser denoiser, TrainingObjective? objective) =>
        objective?.SelfConditioning is null ? denoiser : new SelfConditioningDenoiser(denoiser);

    private IEnumerable<TrainingStep> Enumerate(IImageSource images, BatchOrder order)
    {
        var total = Options.StepsFor(images.Count);
        while (StepsDone < total)
        {
            yield return Step(images, order, Options.LearningRate * Options.LearningRateSchedule.ShareAt(StepsDone + 1, total));
        }
    }

    private TrainingStep Step(IImageSource images, BatchOrder order, double learningRate)
    {
        var start = Stopwatch.GetTimestamp();
        using var batch = images.Read(order.Indices(StepsDone));
        if (!batch.Images.shape.AsSpan().SequenceEqual(images.Shape.Batch(Options.BatchSize)))
        {
            throw new InvalidOperationException($"'{images.Name}' gave a batch of shape [{string.Join(", ", batch.Images.shape)}]; [{string.Join(", ", images.Shape.Batch(Options.BatchSize))}] is needed.");
        }

        lock (_exclusive)
        {
            var loss = Backward(batch, images.Name);
            if (!double.IsFinite(loss))
            {
                throw new InvalidOperationException($"The loss of step {StepsDone + 1} is {loss} (learning rate {learningRate}): training diverged. The weights are those before this step; a smaller learning rate may help.");
            }

            _state.Optimizer.Update(_state.Parameters.Values, _state.Parameters.Gradients, learningRate, StepsDone + 1);
            _state.Ema.Update(_state.Parameters.Values, StepsDone);
            _state.Step++;
            return new TrainingStep(StepsDone, loss, Options.BatchSize, learningRate, Stopwatch.GetElapsedTime(start));
        }
    }

    /// <summary>Gradients of the loss on a batch.</summary>
    private double Backward(ImageBatch batch, string source)
    {
        if (Conditional is not null && batch.Labels is null)
        {
            throw new InvalidOperationException($"'{source}' has no labels; the network is told a label for each image.");
        }

        using var gradients = enable_grad();
        using var scope = NewDisposeScope();
        var device = _state.Parameters.Device;
        using var generator = new Generator(SeedMixer.Mix(Options.Seed, SeedMixer.Purpose.TrainingStep, StepsDone), CPU);
        random.manual_seed(unchecked((long)SeedMixer.Mix(Options.Seed, SeedMixer.Purpose.NetworkStep, StepsDone))); // what the network draws itself: dropout
        using (no_grad())
        {
            _state.Parameters.Gradients.zero_();
        }

        var draw = _loss.Draw(batch.Images.shape, generator);
        _network.train();
        using var precision = MixedPrecision.Use(Options.Precision);
        var loss = _loss.Mean(batch.Images.to(device), draw, batch.Labels);
        loss.backward();
        return loss.item<float>();
    }

    [LoggerMessage(Level = LogLevel.Information, Message = "Step {Step} of {Steps}: loss {Loss:F4}, {ImagesPerSecond:F0} images/s")]
    private partial void LogStep(int step, int steps, double loss, double imagesPerSecond);

    [LoggerMessage(Level = LogLevel.Information, Message = "Saved {Folder}")]
    private partial void LogSaved(string folder);

    [LoggerMessage(Level = LogLevel.Information, Message = "Resumed from {Folder}")]
    private partial void LogResumed(string folder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Skipped a checkpoint: {Reason}")]
    private partial void LogSkipped(string reason);
}
