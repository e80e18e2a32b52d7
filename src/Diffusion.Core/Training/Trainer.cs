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
/// <remarks>Denoising Diffusion Probabilistic Models, arXiv:2006.11239, algorithm 1; conditions: arXiv:2207.12598, algorithm 1.</remarks>
public sealed partial class Trainer : IDisposable
{
    private readonly nn.Module _network;
    private readonly NetworkConditions _conditions;
    private readonly TrainingLoss _loss;
    private readonly TrainerState _state;
    private readonly RunCheckpoints _checkpoints;
    private readonly Lock _exclusive = new();
    private readonly IWeightSet _average;

    /// <summary>Makes a trainer; no step is done yet. Move the network to its device first.</summary>
    /// <param name="network">
    /// Takes noisy images [B, C, H, W], with self-conditioning [B, 2·C, H, W], and timesteps [B] (Int64, or Float32 where the schedule or the objective gives fractions) and returns [B, C, H, W], or [B, 2·C, H, W]
    /// with a learned variance. One that takes labels or a context implements <see cref="IConditionalNetwork"/>, as U-Nets do. Its parameters are Float32. The caller keeps owning it.
    /// </param>
    /// <param name="schedule">How noisy an image is at each timestep.</param>
    /// <param name="options">Steps, batch size, learning rate and more; the defaults if <see langword="null"/>.</param>
    /// <param name="parameterization">What the network learns to predict; the noise ε by default.</param>
    /// <param name="logger">Where progress is logged; nowhere by default.</param>
    /// <param name="objective">What the network is trained for; by default the mean squared error at evenly drawn timesteps.</param>
    /// <param name="nullCondition">
    /// What the network reads as "no condition", which guidance needs: a label, in general the number of classes, or a context [1, L, D]. <see cref="TrainingObjective.ConditionDropout"/> says
    /// how often it is trained. <see langword="null"/> (default) if there is none.
    /// </param>
    /// <exception cref="ArgumentException">The options or the objective have mistakes (the message lists all), the network has nothing to train, or the null condition is none that it takes.</exception>
    public Trainer(
        nn.Module<Tensor, Tensor, Tensor> network,
        INoiseSchedule schedule,
        TrainerOptions? options = null,
        Parameterization? parameterization = null,
        ILogger? logger = null,
        TrainingObjective? objective = null,
        Condition? nullCondition = null)
    {
        Options = options ?? new TrainerOptions();
        Options.ThrowIfInvalid(nameof(options));
        var (goal, log) = (objective ?? new TrainingObjective(), logger ?? NullLogger.Instance);
        if (Options.MicroBatchSize < Options.BatchSize && goal.Immiscible)
        {
            throw new ArgumentException($"{nameof(TrainerOptions.MicroBatchSize)} is {Options.MicroBatchSize}, and {nameof(TrainingObjective.Immiscible)} noise is assigned within a whole batch of {Options.BatchSize}: do without one of them.", nameof(options));
        }

        _conditions = new NetworkConditions(network, nullCondition);
        var denoiser = new NetworkDenoiser(network, schedule, parameterization, nullCondition, goal.SelfConditioning is not null);
        _network = network;
        _loss = new TrainingLoss(_conditions, schedule, denoiser.Parameterization, goal);
        using (NetworkAccess.Of(network).Train()) // with its own weights, whoever samples it
        {
            _state = new TrainerState(network, Options, _loss.Draws.History);
        }

        _checkpoints = new RunCheckpoints(Options, _state, ObjectiveDescription.Of(goal, _conditions, denoiser.Schedule, denoiser.Parameterization), denoiser, log);
        IWeightSet[] averages = [.. _state.Averages.Select(average => new AveragedWeights(_state.Parameters, average.Values))];
        _average = averages[0];
        Denoiser = denoiser;
        Averages = [.. averages.Select(average => new AveragedDenoiser(denoiser, network, average))];
        Observers = logger is null ? [] : [new StepLog(logger)];
        if (Options.Precision == ComputePrecision.BFloat16 && denoiser.Device.type == DeviceType.CPU && !Processor.UsesBFloat16)
        {
            LogFloat32(log, Processor.Name, Processor.Level.ToSetting());
        }

        if (Processor.IsCodeRefused && denoiser.Device.type == DeviceType.CPU)
        {
            LogNoCode(log);
        }
    }

    /// <summary>The options of the run.</summary>
    public TrainerOptions Options { get; }

    /// <summary>What watches the run: <see cref="Fit"/> tells each of them, in this order. With a logger, a <see cref="StepLog"/> at first; empty without.</summary>
    public IList<TrainingObserver> Observers { get; }

    /// <summary>Steps done, those before a resume included.</summary>
    public int StepsDone => _state.Step;

    /// <summary>What the network takes.</summary>
    internal NetworkConditions Conditions => _conditions;

    /// <summary>The network.</summary>
    internal nn.Module Network => _network;

    /// <summary>The token of the call of <see cref="Fit"/> that is running, for observers that take long; none outside of one.</summary>
    internal CancellationToken Cancellation { get; private set; }

    /// <summary>The network with the weights as trained so far. May be sampled while another thread trains: each call waits for a step to end.</summary>
    public IDenoiser Denoiser { get; }

    /// <summary>
    /// The network with the moving average of its weights: the one to sample from. With labels: <c>trainer.Ema.With(3)</c>, with guidance <c>trainer.Ema.With(3).Guided(2)</c>. May be sampled while another thread
    /// trains: each call waits for a step to end, and a step for the call. Lives as long as the trainer.
    /// </summary>
    public IDenoiser Ema => Averages[0];

    /// <summary>The network with each of its averages: that of <see cref="TrainerOptions.Ema"/>, then those of <see cref="EmaOptions.Others"/>.</summary>
    public IReadOnlyList<IDenoiser> Averages { get; }

    /// <summary>Trains to the end of the run, writing checkpoints as <see cref="CheckpointOptions"/> says, and one at the end. Training goes on while one is written.</summary>
    /// <param name="images">The training images, with labels or contexts where the network takes them.</param>
    /// <param name="progress">Told of every step.</param>
    /// <param name="stopAfter">Ends this call, with a checkpoint, after so many steps of the longer run; <see langword="null"/>: at the end of the run.</param>
    /// <param name="cancellationToken">Checked after every step, and by observers that take long; a checkpoint is written before the exception is thrown.</param>
    /// <exception cref="OperationCanceledException">Training was cancelled.</exception>
    /// <exception cref="InvalidOperationException">The loss or a gradient is not a finite number (a checkpoint of the step before is written), memory is full, the network was moved after the trainer was made, it takes labels or a context and the images have none, or they are others than those that the run was started on (<see cref="CheckpointOptions.OtherImages"/>).</exception>
    /// <exception cref="InvalidDataException">The images have values that are not finite or not in their <see cref="IImageSource.Range"/>, or not one class name for each class.</exception>
    /// <exception cref="IOException">A checkpoint cannot be written; those before it are whole. Or another process or trainer writes to the folder, or it has checkpoints of another run, which <see cref="Resume(string)"/> was not asked for.</exception>
    public void Fit(IImageSource images, IProgress<TrainingStep>? progress = null, int? stopAfter = null, CancellationToken cancellationToken = default)
    {
        if (stopAfter is { } limit)
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1, nameof(stopAfter));
        }

        ArgumentNullException.ThrowIfNull(images);
        using var writer = Options.Checkpoints.Folder is { } folder ? _checkpoints.Begin(folder) : null;
        Cancellation = cancellationToken;
        try
        {
            new TrainingRun(this, images, writer).Train(Steps(images).Take(stopAfter ?? int.MaxValue), progress, cancellationToken);
        }
        finally
        {
            Cancellation = CancellationToken.None;
            _checkpoints.End();
        }
    }

    /// <summary>Trains step by step: each element is a step that has just been done. Stop whenever you like; enumerate again to go on.</summary>
    /// <param name="images">The training images. While the enumeration lasts another thread reads them ahead (<see cref="LoaderOptions.Prefetch"/>): who reads from the same source in between locks it.</param>
    /// <returns>The steps from <see cref="StepsDone"/> + 1 to the end of the run.</returns>
    /// <exception cref="InvalidOperationException">The loss or a gradient is not a finite number, memory is full, the network was moved after the trainer was made, it takes labels or a context and the images have none, a class-balanced order is asked of images without labels, or they are others than those that the run was started on (<see cref="CheckpointOptions.OtherImages"/>).</exception>
    /// <exception cref="InvalidDataException">The images have values that are not finite or not in their <see cref="IImageSource.Range"/>, or not one class name for each class.</exception>
    public IEnumerable<TrainingStep> Steps(IImageSource images)
    {
        ArgumentNullException.ThrowIfNull(images);
        _conditions.Check(images);
        _checkpoints.Trains(images);
        using (NetworkAccess.Of(_network).Train())
        {
            _state.Parameters.ThrowIfReplaced();
        }

        return Enumerate(images, BatchOrder.Create(images, Options.BatchSize, Options.Seed, Options.Loader.Order));
    }

    /// <summary>The mean loss of images that are not trained on, at noise and timesteps that depend on the seed alone: the same from one evaluation to the next, and for every batch size.</summary>
    /// <param name="images">The images, of the shape of the training images.</param>
    /// <param name="count">Only the first so many, at least 1; all where there are fewer. 512 by default.</param>
    /// <param name="averaged">Whether the averaged weights are evaluated (default), or the weights themselves.</param>
    /// <param name="seed">The seed of noise and timesteps.</param>
    /// <returns>The mean over the images.</returns>
    /// <exception cref="InvalidOperationException">The network takes labels or a context, and the images have none.</exception>
    public double Evaluate(IImageSource images, int count = 512, bool averaged = true, long seed = 0)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return new HeldOutLoss(_network, averaged ? _average : null, _loss, _state.Parameters.Device, Options.MicroBatchSize ?? Options.BatchSize).Mean(images, count, seed);
    }

    /// <summary>Writes a checkpoint and deletes those beyond <see cref="CheckpointOptions.Keep"/>.</summary>
    /// <param name="folder">The folder of the run's checkpoints.</param>
    /// <returns>The checkpoint.</returns>
    /// <exception cref="IOException">The folder cannot be written to, the disk is full, another process or trainer writes to it, or it has checkpoints of another run, which <see cref="Resume(string)"/> was not asked for; older checkpoints are intact.</exception>
    public Checkpoint Save(string folder)
    {
        ArgumentException.ThrowIfNullOrEmpty(folder);
        using var snapshot = Capture();
        return _checkpoints.Save(folder, snapshot);
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

    /// <summary>The network's weights as they are now, averaged or as trained.</summary>
    /// <returns>Copies on the CPU, for the caller to dispose.</returns>
    internal TensorDictionary Weights(bool averaged)
    {
        using var snapshot = Capture();
        using var scope = NewDisposeScope();
        return new TensorDictionary(snapshot.Files[averaged ? Checkpoint.EmaFile : Checkpoint.ModelFile].Select(item => KeyValuePair.Create(item.Key, item.Value.alias())));
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
        var checkpoint = _checkpoints.Newest(folder);
        if (checkpoint is null)
        {
            return false;
        }

        lock (_exclusive)
        {
            using var step = NetworkAccess.Of(_network).Train();
            _state.Load(checkpoint);
        }

        _checkpoints.Resumed(folder, checkpoint);
        return true;
    }

    /// <inheritdoc/>
    /// <remarks>Waits for a step, or a call of the network, on another thread. The network keeps the weights as trained.</remarks>
    /// <exception cref="InvalidOperationException">This thread is within a call of the network.</exception>
    public void Dispose()
    {
        using var exclusive = NetworkAccess.Of(_network).Train();
        _state.Dispose();
    }

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

        lock (_exclusive)
        {
            using var exclusive = NetworkAccess.Of(_network).Train();
            _conditions.Check(images, batch);
            _state.Parameters.ThrowIfElsewhere();
            var step = new StepRunner(_network, _loss, _state, Options).Run(batch, learningRate);
            return step with { Duration = Stopwatch.GetElapsedTime(start), DataWait = loader.Waited - waited };
        }
    }

    /// <summary>The state after the last step, copied to memory of the host.</summary>
    internal TrainerSnapshot Capture()
    {
        lock (_exclusive)
        {
            return _checkpoints.Capture();
        }
    }

    [LoggerMessage(Level = LogLevel.Warning, Message = "The network computes in float32 instead of bfloat16, which is slower on this processor ({Name}, level {Level})")]
    private static partial void LogFloat32(ILogger logger, string name, string level);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The network is computed by libtorch, which is slower: this system lets the program make no code for own kernels")]
    private static partial void LogNoCode(ILogger logger);
}
