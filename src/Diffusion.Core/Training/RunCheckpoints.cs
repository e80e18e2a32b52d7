using Microsoft.Extensions.Logging;

namespace Diffusion;

/// <summary>The checkpoints of one run: what they say of it, which folders are its own, and whether another checkpoint is of the same run.</summary>
internal sealed partial class RunCheckpoints(TrainerOptions options, TrainerState state, IReadOnlyDictionary<string, string> objective, NetworkDenoiser denoiser, ILogger logger)
{
    private readonly ILogger _logger = logger; // a field for the generated methods
    private readonly HashSet<string> _folders = new(PathNames.Comparer); // those whose checkpoints are of this run
    private readonly WholeCheckpoints _whole = new();
    private string? _fitting; // the folder that a run of steps writes to meanwhile
    private int _imageCount;
    private ImageIdentity? _images;
    private bool _resumed; // and not yet compared with the images that it goes on with

    /// <summary>Notes which images the run is trained on.</summary>
    /// <exception cref="InvalidOperationException">It was started on others.</exception>
    /// <exception cref="InvalidDataException">The source has class names, but not one for each class.</exception>
    public void Trains(IImageSource images)
    {
        var now = ImageIdentity.Of(images);
        var differences = Differences(images.Count, now).ToList();
        if (differences.Count > 0 && !options.Checkpoints.OtherImages)
        {
            throw new InvalidOperationException(
                $"'{images.Name}' does not have the images that the run was started on: {string.Join("; ", differences)}. Their order, or what the labels mean, would change in the middle of the run. "
                + $"Train on the images as they were, or allow others with {nameof(CheckpointOptions)}.{nameof(CheckpointOptions.OtherImages)} (train --resume --other-images).");
        }

        differences.ForEach(each => LogOtherImages(images.Name, each));
        (_imageCount, _images, _resumed) = (images.Count, now, false);
    }

    /// <summary>What the images of the run have different from those that it was trained on so far. Within a program its source may change but for its number and its classes.</summary>
    private IEnumerable<string> Differences(int count, ImageIdentity now) =>
    [
        .. _imageCount != 0 && _imageCount != count ? [$"{_imageCount} images → {count}"] : Array.Empty<string>(),
        .. _images?.ClassDifference(now) is { } classes ? [classes] : Array.Empty<string>(),
        .. _resumed && _images is not null ? _images.PartDifferences(now) : [],
    ];

    /// <summary>What writes the checkpoints of a run of steps.</summary>
    public CheckpointWriter Begin(string folder)
    {
        var writer = Writer(folder);
        _fitting = writer.Folder;
        return writer;
    }

    public void End() => _fitting = null;

    /// <summary>The state after the last step, copied to memory of the host.</summary>
    public TrainerSnapshot Capture() => new(
        Manifest(),
        state.Capture(),
        [.. state.Averages.Index().Where(average => average.Item.Options.RelativeWidth is not null).Select(average => (TrainerState.AverageFile(average.Index), average.Item.Options.RelativeWidth!.Value))]);

    public Checkpoint Save(string folder, TrainerSnapshot snapshot)
    {
        using var writer = PathNames.Comparer.Equals(_fitting, PathNames.Whole(folder)) // which is locked already
            ? new CheckpointWriter(folder, options.Checkpoints, _whole, LogSkipped)
            : Writer(folder);
        return writer.Write(snapshot);
    }

    /// <summary>The newest whole checkpoint of a folder; <see langword="null"/> if there is none, and the folder is the run's own from now on.</summary>
    /// <exception cref="InvalidDataException">It is of another run.</exception>
    public Checkpoint? Newest(string folder)
    {
        var checkpoint = Checkpoint.Newest(folder, LogSkipped);
        if (checkpoint is null)
        {
            _folders.Add(PathNames.Whole(folder));
            return null;
        }

        var (then, now) = (checkpoint.Manifest, Manifest());
        if (then.Seed != now.Seed || then.BatchSize != now.BatchSize)
        {
            var (what, was, asked) = then.Seed != now.Seed ? ("seed", then.Seed, now.Seed) : ("batch size", then.BatchSize, now.BatchSize);
            throw new InvalidDataException($"'{checkpoint.Folder}' was made with {what} {was}; the options say {asked}. Resume with the same.");
        }

        if (then.Schedule?.Same(now.Schedule!) == false || (then.Prediction ?? now.Prediction) != now.Prediction)
        {
            throw new InvalidDataException($"'{checkpoint.Folder}' was made with {then.Schedule?.Name}, {then.Schedule?.Timesteps} timesteps, and the prediction '{then.Prediction}'; the trainer has {now.Schedule!.Name}, {now.Schedule.Timesteps} timesteps (or other levels), and '{now.Prediction}'. Resume with the same.");
        }

        if (then.PredictionCoefficients is { } coefficients && !CheckpointSchedule.AreSame(coefficients, now.PredictionCoefficients!))
        {
            throw new InvalidDataException($"'{checkpoint.Folder}' was made with a prediction '{then.Prediction}' of other numbers, such as another standard deviation of the images: what the network is given and what it predicts would change. Resume with the same.");
        }

        IEnumerable<string> changes =
        [
            .. then.Options is { } before ? JsonDifference.Between(before, now.Options!.Value) : [],
            .. then.Objective is { } goal && goal.TryGetProperty(ObjectiveDescription.Weights, out _) ? JsonDifference.Between(goal, now.Objective!.Value) : [],
        ];
        foreach (var change in changes)
        {
            LogChanged(checkpoint.Folder, change);
        }

        return checkpoint;
    }

    /// <summary>Notes that the run went on from a checkpoint of a folder, which is its own from now on.</summary>
    public void Resumed(string folder, Checkpoint checkpoint)
    {
        _folders.Add(PathNames.Whole(folder));
        (_imageCount, _images, _resumed) = (checkpoint.Manifest.ImageCount, checkpoint.Manifest.Images, true);
        LogResumed(checkpoint.Folder);
    }

    /// <summary>What writes checkpoints to a folder that can be written to and is the run's own.</summary>
    private CheckpointWriter Writer(string folder)
    {
        var writer = new CheckpointWriter(folder, options.Checkpoints, _whole, LogSkipped);
        try
        {
            writer.Prepare();
            if (!_folders.Contains(writer.Folder) && Checkpoint.List(folder) is [var newest, ..])
            {
                throw new IOException($"'{folder}' has checkpoints of a run, the newest {Path.GetFileName(newest)}. Call {nameof(Trainer.Resume)} for it to go on, or choose another folder.");
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
        new(CheckpointManifest.CurrentSchema, state.Step, options.Seed, options.BatchSize, _imageCount, LibraryVersions.Library, new Dictionary<string, CheckpointFile>())
        {
            SkippedInARow = state.SkippedInARow,
            Images = _images,
            Schedule = CheckpointSchedule.Of(denoiser.Schedule),
            Prediction = denoiser.Parameterization.Name,
            PredictionCoefficients = CheckpointSchedule.Coefficients(denoiser.Parameterization, denoiser.Schedule),
            Updates = state.Updates,
            Options = CheckpointManifest.ToJson(options),
            Objective = CheckpointManifest.ToJson(objective),
            Versions = LibraryVersions.All,
        };

    [LoggerMessage(Level = LogLevel.Information, Message = "Resumed from {Folder}")]
    private partial void LogResumed(string folder);

    [LoggerMessage(Level = LogLevel.Warning, Message = "Checkpoints: {Reason}")]
    private partial void LogSkipped(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The run goes on with other images, {Source}: {Change}")]
    private partial void LogOtherImages(string source, string change);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The run of {Folder} goes on with other options: {Change}")]
    private partial void LogChanged(string folder, string change);
}
