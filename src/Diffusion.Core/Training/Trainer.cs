using System.Diagnostics;
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
    private readonly HashSet<string> _folders = new(PathNames.Comparer); // those whose checkpoints are of this run
    private string? _fitting; // the folder that Fit writes to meanwhile
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
        if (Options.MicroBatchSize < Options.BatchSize && loss.IsImmiscible)
        {
            throw new ArgumentException($"{nameof(TrainerOptions.MicroBatchSize)} is {Options.MicroBatchSize}, and {nameof(TrainingObjective.Immiscible)} noise is assigned within a whole batch of {Options.BatchSize}: do without one of them.", nameof(options));
        }

        _network = network;
        _loss = loss;
        _logger = logger ?? NullLogger.Instance;
        Observers = logger is null ? [] : [new StepLog(logger)];
        _state = new TrainerState(network, Options, _loss.History);
        Denoiser = denoiser;
        Conditional = conditional;
        if (Options.Precision == ComputePrecision.BFloat16 && denoiser.Device.type == DeviceType.CPU && !Processor.UsesBFloat16)
        {
            LogFloat32(_logger, Processor.Name, Processor.Level.ToSetting());
        }

        if (Processor.IsCodeRefused && denoiser.Device.type == DeviceType.CPU)
        {
            LogNoCode(_logger);
        }
    }

    /// <summary>The options of the run.</summary>
    public TrainerOptions Options { get; }

    /// <summary>What watches the run: <see cref="Fit"/> tells each of them, in this order. With a logger, a <see cref="StepLog"/> at first; empty without.</summary>
    public IList<TrainingObserver> Observers { get; }

    /// <summary>Steps done, those before a resume included.</summary>
    public int StepsDone => _state.Step;

    /// <summary>The network as trained so far; of a network that is told labels, without one. Sample from it between steps, on the thread that trains: it does not wait for a step to end, as <see cref="Ema"/> does.</summary>
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
            throw new ArgumentException(FormattableString.Invariant($"A network that is told labels is trained without self-conditioning; {nameof(TrainingObjective.SelfConditioning)} is {objective.SelfConditioning}."), nameof(objective));
        }

        var kind = parameterization ?? Parameterization.Epsilon;
        var loss = TrainingLoss.WithLabels(network, labels, schedule, kind, objective ?? new TrainingObjective());
        var conditional = new ConditionalDenoiser(network, schedule, kind, labels.NullLabel);
        return new Trainer(network, options, logger, loss, conditional.NullLabel is null ? new UnboundDenoiser(conditional) : conditional.Unlabelled, conditional);
    }

    /// <summary>A denoiser of the trained network, run with a moving average of the weights: <c>trainer.Averaged(trainer.Conditional.Guided(labels, 3))</c>.</summary>
    /// <param name="denoiser">A denoiser that runs the trained network.</param>
    /// <param name="average">Which average: 0 for <see cref="TrainerOptions.Ema"/>, from 1 for <see cref="EmaOptions.Others"/>.</param>
    /// <returns>The denoiser with averaged weights. Lives as long as the trainer.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such average.</exception>
    public IDenoiser Averaged(IDenoiser denoiser, int average = 0)
    {
        ArgumentNullException.ThrowIfNull(denoiser);
        if (average < 0 || average >= _state.Averages.Count)
        {
            throw new ArgumentOutOfRangeException(nameof(average), average, $"The average must be in [0, {_state.Averages.Count - 1}].");
        }

        return new EmaDenoiser(denoiser, _state.Parameters, _state.Averages[average].Values, _exclusive);
    }

    /// <summary>Trains to the end of the run, writing checkpoints as <see cref="CheckpointOptions"/> says, and one at the end. Training goes on while one is written.</summary>
    /// <param name="images">The training images.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="stopAfter">Ends this call, with a checkpoint, after so many steps of the longer run; <see langword="null"/>: at the end of the run.</param>
    /// <param name="cancellationToken">Checked after every step; a checkpoint is written before the exception is thrown.</param>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The loss or a gradient is not a finite number (a checkpoint of the step before is written), memory is full, or the network was moved after the trainer was made.</exception>
    /// <exception cref="IOException">A checkpoint cannot be written; those before it are whole. Or another process or trainer writes to the folder, or it has checkpoints of another run, which <see cref="Resume(string)"/> was not asked for.</exception>
    public void Fit(IImageSource images, IProgress<TrainingStep>? progress = null, int? stopAfter = null, CancellationToken cancellationToken = default)
    {
        if (stopAfter is { } limit)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1, nameof(stopAfter));
        }

        ArgumentNullException.ThrowIfNull(images);
        using var writer = Options.Checkpoints.Folder is { } folder ? Writer(folder) : null;
        _fitting = writer?.Folder;
        try
        {
            new TrainingRun(this, images, writer).Train(Steps(images).Take(stopAfter ?? int.MaxValue), progress, cancellationToken);
        }
        finally
        {
            _fitting = null;
        }
    }

    /// <summary>Trains step by step: each element is a step that has just been done. Stop whenever you like; enumerate again to go on.</summary>
    /// <param name="images">The training images. While the enumeration lasts another thread reads them ahead (<see cref="LoaderOptions.Prefetch"/>): who reads from the same source in between locks it.</param>
    /// <returns>The steps from <see cref="StepsDone"/> + 1 to the end of the run.</returns>
    /// <exception cref="InvalidOperationException">The loss or a gradient is not a finite number, memory is full, the network was moved after the trainer was made, or a class-balanced order is asked of images without labels.</exception>
    public IEnumerable<TrainingStep> Steps(IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(images);
        if (_imageCount != 0 && _imageCount != images.Count)
        {
            throw new InvalidOperationException($"The run was started on {_imageCount} images; '{images.Name}' has {images.Count}. The order of the images would not be that of the run.");
        }

        _imageCount = images.Count;
        _state.Parameters.ThrowIfReplaced();
        return Enumerate(images, BatchOrder.Create(images, Options.BatchSize, Options.Seed, Options.Loader.Order));
    }

    /// <summary>The mean loss of images that are not trained on, at noise and timesteps that depend on the seed alone: the same from one evaluation to the next, and for every batch size.</summary>
    /// <param name="images">The images, of the shape of the training images.</param>
    /// <param name="count">Only the first so many, at least 1; all where there are fewer. 512 by default.</param>
    /// <param name="averaged">Whether the averaged weights are evaluated (default), or the weights themselves.</param>
    /// <param name="seed">The seed of noise and timesteps.</param>
    /// <returns>The mean over the images.</returns>
    /// <exception cref="InvalidOperationException">The network is told labels, and the images have none.</exception>
    public double Evaluate(IImageSource images, int count = 512, bool averaged = true, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        lock (_exclusive)
        {
            var evaluation = new Evaluation(_network, _loss, _state.Parameters.Device, Options.MicroBatchSize ?? Options.BatchSize);
            return averaged ? _state.Parameters.With(_state.Averages[0].Values, () => evaluation.Mean(images, count, seed)) : evaluation.Mean(images, count, seed);
        }
    }

    /// <summary>Writes a checkpoint and deletes those beyond <see cref="CheckpointOptions.Keep"/>.</summary>
    /// <param name="folder">The folder of the run's checkpoints.</param>
    /// <returns>The checkpoint.</returns>
    /// <exception cref="IOException">The folder cannot be written to, the disk is full, another process or trainer writes to it, or it has checkpoints of another run, which <see cref="Resume(string)"/> was not asked for; older checkpoints are intact.</exception>
    public Checkpoint Save(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using var snapshot = Capture();
        using var writer = PathNames.Comparer.Equals(_fitting, PathNames.Whole(folder)) // which is locked already
            ? new CheckpointWriter(folder, Options.Checkpoints, LogSkipped)
            : Writer(folder);
        return writer.Write(snapshot);
    }

    /// <summary>Writes the trained weights for use elsewhere: <c>model.safetensors</c> and, averaged, <c>ema.safetensors</c>; <c>ema-1.safetensors</c> and so on with <see cref="EmaOptions.Others"/>.</summary>
    /// <param name="folder">Where the files go; created if need be.</param>
    /// <exception cref="IOException">The folder cannot be written to, or the disk is full.</exception>
    public void Export(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using var snapshot = Capture();
        foreach (var (name, tensors) in snapshot.Files.Where(file => file.Key != Checkpoint.OptimizerFile))
        {
            Safetensors.Save(Path.Combine(folder, name), tensors, Options.Checkpoints.Metadata);
        }
    }

    /// <summary>Goes on from the newest whole checkpoint in <see cref="CheckpointOptions.Folder"/>.</summary>
    /// <returns>Whether there was one; if not, the run begins at its first step.</returns>
    /// <exception cref="InvalidDataException">As for <see cref="Resume(string)"/>.</exception>
    /// <exception cref="InvalidOperationException">The options have no folder.</exception>
    public bool Resume() => Resume(Options.Checkpoints.Folder ?? throw new InvalidOperationException($"{nameof(TrainerOptions.Checkpoints)}.{nameof(CheckpointOptions.Folder)} is not given: there is nothing to resume from."));

    /// <summary>Goes on from the newest whole checkpoint. Newer ones that are damaged, and options that were others before, are logged.</summary>
    /// <param name="folder">The folder of the run's checkpoints.</param>
    /// <returns>Whether there was one; if not, the run begins at its first step.</returns>
    /// <exception cref="InvalidDataException">The checkpoint is of another run: other seed, batch size, schedule, prediction or network. The message names both values.</exception>
    public bool Resume(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        _folders.Add(PathNames.Whole(folder));
        var checkpoint = Checkpoint.Newest(folder, LogSkipped);
        if (checkpoint is null)
        {
            return false;
        }

        var manifest = checkpoint.Manifest;
        var now = Manifest();
        if (manifest.Seed != now.Seed || manifest.BatchSize != now.BatchSize)
        {
            var (what, then, asked) = manifest.Seed != now.Seed ? ("seed", manifest.Seed, now.Seed) : ("batch size", manifest.BatchSize, now.BatchSize);
            throw new InvalidDataException($"'{checkpoint.Folder}' was made with {what} {then}; the options say {asked}. Resume with the same.");
        }

        if (manifest.Schedule?.Same(now.Schedule!) == false || (manifest.Prediction ?? now.Prediction) != now.Prediction)
        {
            throw new InvalidDataException($"'{checkpoint.Folder}' was made with {manifest.Schedule?.Name}, {manifest.Schedule?.Timesteps} timesteps, and the prediction '{manifest.Prediction}'; the trainer has {now.Schedule!.Name}, {now.Schedule.Timesteps} timesteps (or other levels), and '{now.Prediction}'. Resume with the same.");
        }

        IEnumerable<string> changes =
        [
            .. manifest.Options is { } options ? JsonDifference.Between(options, now.Options!.Value) : [],
            .. manifest.Objective is { } objective ? JsonDifference.Between(objective, now.Objective!.Value) : [],
        ];
        foreach (var change in changes)
        {
            LogChanged(checkpoint.Folder, change);
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
        using var loader = new BatchLoader(images, order, Options.Seed, total, Options.Loader.Prefetch, _state.Parameters.Device);
        while (StepsDone < total)
        {
            yield return Step(images, loader, Options.LearningRate * Options.LearningRateSchedule.ShareAt(StepsDone + 1, total));
        }
    }

    private TrainingStep Step(IImageSource images, BatchLoader loader, double learningRate)
    {
        var start = Stopwatch.GetTimestamp();
        var waited = loader.Waited;
        using var batch = loader.Read(StepsDone);
        if (!batch.Images.shape.AsSpan().SequenceEqual(images.Shape.Batch(Options.BatchSize)))
        {
            throw new InvalidOperationException($"'{images.Name}' gave a batch of shape [{string.Join(", ", batch.Images.shape)}]; [{string.Join(", ", images.Shape.Batch(Options.BatchSize))}] is needed.");
        }

        if (_loss.UsesLabels && batch.Labels is null)
        {
            throw new InvalidOperationException($"'{images.Name}' has no labels; the network is told a label for each image.");
        }

        lock (_exclusive)
        {
            var step = new StepRunner(_network, _loss, _state, Options).Run(batch, learningRate);
            return step with { Duration = Stopwatch.GetElapsedTime(start), DataWait = loader.Waited - waited };
        }
    }

    /// <summary>The state after the last step, copied to memory of the host.</summary>
    internal TrainerSnapshot Capture()
    {
        lock (_exclusive)
        {
            return new TrainerSnapshot(
                Manifest(),
                _state.Capture(),
                [.. _state.Averages.Index().Where(average => average.Item.Options.RelativeWidth is not null).Select(average => (TrainerState.AverageFile(average.Index), average.Item.Options.RelativeWidth!.Value))]);
        }
    }

    /// <summary>What writes the checkpoints of this run, to a folder that can be written to and is its own.</summary>
    private CheckpointWriter Writer(string folder)
    {
        var writer = new CheckpointWriter(folder, Options.Checkpoints, LogSkipped);
        try
        {
            writer.Prepare();
            if (!_folders.Contains(writer.Folder) && Checkpoint.List(folder) is [var newest, ..])
            {
                throw new IOException($"'{folder}' has checkpoints of a run, the newest {Path.GetFileName(newest)}. Call {nameof(Resume)} for it to go on, or choose another folder.");
            }

            _folders.Add(writer.Folder);
            return writer;
        }
        catch
        {
            writer.Dispose();
            throw;
        }
    }

    private CheckpointManifest Manifest() =>
        new(CheckpointManifest.CurrentSchema, StepsDone, Options.Seed, Options.BatchSize, _imageCount, LibraryVersions.Library, new Dictionary<string, CheckpointFile>())
        {
            SkippedInARow = _state.SkippedInARow,
            Schedule = CheckpointSchedule.Of(Denoiser.Schedule),
            Prediction = _loss.Parameterization.Name,
            Options = CheckpointManifest.ToJson(Options),
            Objective = CheckpointManifest.ToJson(_loss.Describe()),
            Versions = LibraryVersions.All,
        };

    [LoggerMessage(Level = LogLevel.Information, Message = "Resumed from {Folder}")]
    private partial void LogResumed(string folder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The network computes in float32 instead of bfloat16, which is slower on this processor ({Name}, level {Level})")]
    private static partial void LogFloat32(ILogger logger, string name, string level);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The network is computed by libtorch, which is slower: this system lets the program make no code for own kernels")]
    private static partial void LogNoCode(ILogger logger);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Checkpoints: {Reason}")]
    private partial void LogSkipped(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The run of {Folder} goes on with other options: {Change}")]
    private partial void LogChanged(string folder, string change);
}
