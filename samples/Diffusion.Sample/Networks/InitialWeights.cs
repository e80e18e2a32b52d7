using Diffusion.Configuration;
using Diffusion.Models;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>The weights that a run begins with, instead of random ones: of another run, or of a network of diffusers.</summary>
internal sealed class InitialWeights : IDisposable
{
    private readonly ForeignNetwork? _foreign;
    private readonly TrainedWeights? _run;
    private readonly string _file;

    private InitialWeights(string file, ForeignNetwork? foreign, TrainedWeights? run) => (_file, _foreign, _run) = (file, foreign, run);

    /// <summary>The configuration of the run that they are of; <see langword="null"/> where they are of none.</summary>
    public RunOptions? Run => _run?.Options;

    /// <param name="from">A run, a checkpoint, a network or a pipeline of diffusers, or a file of weights under this library's names.</param>
    /// <param name="arguments">What the command line says of it.</param>
    public static InitialWeights Open(string from, SourceArguments arguments)
    {
        if (ForeignNetwork.Open(from, arguments) is { } foreign)
        {
            return new InitialWeights(foreign.File, foreign, null);
        }

        var file = TrainedWeights.FindFile(from);
        arguments.ThrowIfOfOtherTools($"that is for networks of other tools; '{file}' has weights of this library.");
        return new InitialWeights(file, null, TrainedWeights.HasRun(file) ? TrainedWeights.Find(from) : null);
    }

    /// <summary>The configuration with what the weights bring: a network of diffusers itself, and its scheduler's schedule and prediction unless others are asked for.</summary>
    /// <param name="options">The configuration.</param>
    /// <param name="arguments">What the command line says.</param>
    /// <exception cref="UsageException">They do not fit the images or the diffusion of the configuration.</exception>
    public RunOptions Apply(RunOptions options, TrainArguments arguments)
    {
        if (_run is { Options.Diffusion: var before } && arguments.Source.Schedule is null && !DiffusionNames.Same(before, options.Diffusion))
        {
            throw new UsageException($"'{_file}' was trained with {Describe(before)}, and the configuration has {Describe(options.Diffusion)}. Make them the same, or give --schedule to train on with another.");
        }

        return _foreign is null ? options : Adopt(_foreign, options, arguments);
    }

    /// <summary>Puts the weights into the network of the configuration.</summary>
    /// <exception cref="InvalidDataException">They do not fit; the message lists all differences.</exception>
    public void Fill(UNet network)
    {
        using var weights = _foreign is null ? Safetensors.Load(_file) : Weights.Snapshot(_foreign.Network);
        try
        {
            Weights.Load(network, weights);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"--from: '{_file}' does not fit the network of the configuration. {e.Message}", e);
        }

        AnsiConsole.MarkupLineInterpolated($"The weights begin as those of {_file}");
    }

    /// <summary>Compares the classes that the weights know with those of the images to train on, label by label.</summary>
    /// <param name="options">The configuration, with the names of the images' classes.</param>
    /// <param name="others">Whether others are asked for.</param>
    /// <exception cref="UsageException">Their labels mean other classes.</exception>
    public void CheckClasses(RunOptions options, bool others)
    {
        if (options.NullLabel is not { } none)
        {
            return;
        }

        if (_foreign?.Pipeline?.NullLabel is { } theirs && theirs != none)
        {
            throw new UsageException($"--from: label {theirs} stands for no class in '{_file}'; in a run that is the last one, {none}.");
        }

        if ((_run?.Options.Data.ClassNames ?? _foreign?.Pipeline?.ClassNames) is not { } before || options.Data.ClassNames is not { } now)
        {
            AnsiConsole.WriteLine("The names of the classes are not known on both sides: each label is taken to mean the same class as before.");
        }
        else if (!others && ClassList.Difference(before, now) is { } difference)
        {
            throw new UsageException($"--from: '{_file}' knows the classes {difference}: its labels would mean other classes. Train on the same classes, or give --other-images to begin with these weights all the same.");
        }
    }

    public void Dispose() => _foreign?.Dispose();

    private static RunOptions Adopt(ForeignNetwork foreign, RunOptions options, TrainArguments arguments)
    {
        var model = foreign.Network.Options;
        var (own, channels) = (model.Dialect, options.Data.Channels);
        if (model.Image.Channels != channels)
        {
            throw new UsageException($"--from: the network of '{foreign.File}' takes images of {model.Image.Channels} channels, and those of the configuration have {channels} (data.channels).");
        }

        // The objective adds these channels by itself.
        var dialect = own with
        {
            ExtraChannels = options.Objective.SelfConditioning is not null && own.ExtraChannels == channels ? 0 : own.ExtraChannels,
            OutChannels = options.Objective.LearnedVariance is not null && own.OutChannels == 2 * channels ? null : own.OutChannels,
        };
        var (diffusion, source) = Diffusion(foreign, options, arguments);
        AnsiConsole.MarkupLineInterpolated($"The network is the {foreign.Kind} of {foreign.File}, in place of the configuration's model; {source}: {Describe(diffusion)}");
        if (own.Labels is null && (options.Sampling.Guidance != 1 || options.Objective.ConditionDropout is not null))
        {
            AnsiConsole.WriteLine("It takes no labels: sampling.guidance and objective.conditionDropout of the configuration are left out.");
            options = options with { Sampling = options.Sampling with { Guidance = 1 }, Objective = options.Objective with { ConditionDropout = null } };
        }

        return options with { Model = model with { Dialect = dialect }, Diffusion = diffusion };
    }

    private static (DiffusionOptions Options, string Source) Diffusion(ForeignNetwork foreign, RunOptions options, TrainArguments arguments)
    {
        if (foreign.Scheduler is null && arguments.Source.Schedule is null && arguments.Config is not null)
        {
            return (arguments.Source.CreatePrediction() is { } asked ? options.Diffusion with { Prediction = asked.Name } : options.Diffusion, "the configuration has");
        }

        var (schedule, prediction, _) = ForeignModel.Diffusion(foreign, arguments.Source);
        return arguments.Source.Schedule is { } name
            ? (new DiffusionOptions { Schedule = name, Timesteps = schedule.Timesteps, Prediction = prediction.Name }, "asked for is")
            : (DiffusionNames.Find(schedule, prediction, foreign.Scheduler!)
                ?? throw new UsageException($"--from: no configuration can name the schedule and the prediction of the {foreign.Scheduler!.ClassName} of '{foreign.File}' ({prediction.Name}). Give others by --schedule and --prediction."), "its scheduler has");
    }

    private static string Describe(DiffusionOptions diffusion) => FormattableString.Invariant(
        $"schedule {diffusion.Schedule}, {diffusion.Timesteps} timesteps{(diffusion.BetaStart is { } start ? $", β from {start} to {diffusion.BetaEnd}" : "")}, predicting {diffusion.Prediction}");
}
