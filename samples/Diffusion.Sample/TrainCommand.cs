using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Diffusion.Configuration;
using Diffusion.Observers;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Trains a network as a configuration says, then draws images with it.</summary>
internal static class TrainCommand
{
    private static readonly Option<FileInfo?> s_config = new("--config") { Description = "The configuration file; the quick MNIST run by default." };
    private static readonly Option<string?> s_from = new("--from") { Description = "Begin with the weights of another run or of a model's folder, or with a network of diffusers: a pipeline's folder with its scheduler, a network's folder or file with --schedule." };
    private static readonly Option<int?> s_steps = NumberOption.Optional<int>("--steps", "Training steps in all, instead of the configuration's.");
    private static readonly Option<int?> s_stopAfter = NumberOption.Optional<int>("--stop-after", "End this process, with a checkpoint, after so many steps of the longer run.");
    private static readonly Option<long?> s_seed = NumberOption.Optional<long>("--seed", "The seed of the run, instead of the configuration's.");
    private static readonly Option<bool> s_resume = new("--resume") { Description = "Go on from the newest checkpoint in the folder." };
    private static readonly Option<bool> s_otherImages = new("--other-images") { Description = "With --resume: go on also where the images or their classes are others than the run was started on. With --from: begin also with weights that know other classes." };

    public static Command Create()
    {
        var command = new Command("train", "Train a network, then draw images with it.")
        {
            s_config, ImageCodecs.Name, s_from, s_steps, s_stopAfter, s_seed, DrawingOptions.Schedule, DrawingOptions.Sampler, DrawingOptions.Spacing, DrawingOptions.Out, s_resume, s_otherImages,
        };
        foreach (var option in SourceOptions.Initial)
        {
            command.Add(option);
        }

        command.SetAction(arguments => ExitCode.Of(cancellation => Run(Read(arguments), cancellation)));
        return command;
    }

    /// <summary>The command without options: the quick run on MNIST.</summary>
    public static void RunDefault(CancellationToken cancellation) => Run(Read(Create().Parse([])), cancellation);

    private static TrainArguments Read(ParseResult arguments) => new(
        arguments.GetValue(s_config) is { } config ? Path.GetFullPath(IncludedFiles.Find(config.ToString())) : null,
        arguments.GetValue(ImageCodecs.Name),
        arguments.GetValue(s_from) is { } from ? IncludedFiles.Find(from) : null,
        SourceOptions.Read(arguments, arguments.GetValue(DrawingOptions.Schedule)),
        arguments.GetValue(s_steps),
        arguments.GetValue(s_stopAfter),
        arguments.GetValue(s_seed),
        arguments.GetValue(DrawingOptions.Sampler),
        arguments.GetValue(DrawingOptions.Spacing),
        arguments.GetRequiredValue(DrawingOptions.Out).FullName,
        arguments.GetValue(s_resume),
        arguments.GetValue(s_otherImages));

    private static void Check(TrainArguments arguments)
    {
        if (arguments.StopAfter < 1)
        {
            throw new UsageException($"--stop-after must be at least 1; it is {arguments.StopAfter}.");
        }

        if (arguments is { OtherImages: true, Resume: false, From: null })
        {
            throw new UsageException("--other-images goes with --resume or --from.");
        }

        if (arguments is { From: not null, Resume: true })
        {
            throw new UsageException("--from begins a run, and --resume goes on with one: give one of them.");
        }

        if (arguments is { Resume: true, Config: null } && !File.Exists(new RunFolder(arguments.Out).Config))
        {
            throw new UsageException($"--resume: there is no run in '{arguments.Out}', which has no config.json. Give the folder of a run by --out, or begin one without --resume.");
        }

        if (arguments.From is null)
        {
            arguments.Source.ThrowIfOfOtherTools("without --from a run begins with random weights.");
        }
    }

    private static void Run(TrainArguments arguments, CancellationToken cancellation)
    {
        Check(arguments);
        DiffusionRuntime.EnsureLoaded();
        var folder = new RunFolder(arguments.Out);
        if (arguments.From is { } weights)
        {
            EarlierResults.ThrowIfInUse(folder, weights);
        }

        using var initial = arguments.From is { } from ? InitialWeights.Open(from, arguments.Source) : null;
        var options = Configuration(arguments, folder, initial);
        OutputFolder.ThrowIfAmongImages(folder.Path, options.Data);
        using var images = options.Data.Open(ImageCodecs.Of(options.Data));
        options = options.ForImages(images);
        var steps = options.Training.StepsFor(images.Count);
        using var network = options.CreateNetwork();
        initial?.CheckClasses(options, arguments.OtherImages); // what does not fit is said before anything is changed
        initial?.Fill(network);
        if (!arguments.Resume)
        {
            EarlierResults.MakeRoom(folder, options, steps);
        }

        network.to(cuda.is_available() ? CUDA : CPU);
        var training = options.Training with
        {
            Checkpoints = options.Training.Checkpoints with
            {
                Folder = folder.Checkpoints, OtherImages = arguments.OtherImages, Metadata = EarlierResults.Metadata(folder, arguments, RunConfiguration.ToJson(options)),
            },
        };
        using var trainer = options.CreateTrainer(network, images, training, new ConsoleWarnings());
        var copy = new ConfigurationCopy(folder.Config, options);
        if (!arguments.Resume)
        {
            trainer.Observers.Add(copy); // first: --resume needs it, also where the run ends while an observer prepares
        }

        using var watch = Watch.Over(trainer, options, folder);
        if (arguments.Resume && !trainer.Resume(folder.Checkpoints))
        {
            AnsiConsole.MarkupLineInterpolated($"No checkpoint in {folder.Checkpoints}: starting at step 1.");
        }

        if (initial is not null)
        {
            trainer.Save(folder.Checkpoints); // --resume goes on from these weights, however early the run is stopped
        }

        if (arguments.Resume)
        {
            trainer.Observers.Add(copy); // last: a run that cannot go on keeps its own
        }

        AnsiConsole.MarkupLineInterpolated($"[bold]{images.Count}[/] images of {images.Shape} from {images.Name}");
        ClassList.ShowFound(images, options);
        SkippedImages.Show(images);
        if (images.Count < options.Training.BatchSize)
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]{images.Count} images are fewer than the {options.Training.BatchSize} of a step: a network learns so few by heart and draws copies of them (docs/faq.md).[/]");
        }

        AnsiConsole.MarkupLineInterpolated($"[bold]{network.ParameterCount:N0}[/] parameters on {trainer.Denoiser.Device.type}, {options.Training.BatchSize} images a step, step {trainer.StepsDone} of {steps}");

        try
        {
            Run(trainer, images, options, folder, arguments.StopAfter, cancellation);
        }
        catch (OperationCanceledException)
        {
            AnsiConsole.MarkupLineInterpolated($"Stopped at step {trainer.StepsDone} of {steps}; [bold]train --resume --out {arguments.Out}[/] goes on.");
            throw;
        }
    }

    /// <summary>Trains, and draws where the last step is done.</summary>
    private static void Run(Trainer trainer, IImageSource images, RunOptions options, RunFolder folder, int? stopAfter, CancellationToken cancellation)
    {
        var (before, steps, fitting) = (trainer.StepsDone, trainer.Options.StepsFor(images.Count), Stopwatch.StartNew());
        TrainingBar.Show(trainer, steps, bar => trainer.Fit(images, bar, stopAfter, cancellation));
        fitting.Stop();
        LossPlot.Save(folder.LossPlot, CsvLog.Read(folder.Losses));
        if (trainer.StepsDone < steps)
        {
            AnsiConsole.MarkupLineInterpolated($"Step {trainer.StepsDone} of {steps} done; [bold]train --resume --out {folder.Path}[/] goes on.");
            return;
        }

        trainer.Export(folder.Path);
        var drawing = Stopwatch.StartNew();
        using var drawn = LabelledDrawing.Draw(trainer, options, folder, cancellation);
        drawing.Stop();
        AnsiConsole.MarkupLineInterpolated($"Wrote {folder.Picture(options.Data.Kind)}, {folder.Animation}, {folder.LossPlot}{(options.Watch.Report ? $", {folder.Report}" : "")} and the weights, {folder.Model} and {Checkpoint.EmaFile}.");
        AnsiConsole.MarkupLineInterpolated(
            CultureInfo.InvariantCulture,
            $"Training took [bold]{fitting.Elapsed.TotalSeconds:F1} s[/] for {trainer.StepsDone - before} steps, drawing [bold]{drawing.Elapsed.TotalSeconds:F1} s[/] for {options.Sampling.Count} images.");
    }

    private static RunOptions Configuration(TrainArguments arguments, RunFolder folder, InitialWeights? initial)
    {
        var file = arguments.Config ?? (arguments.Resume && File.Exists(folder.Config) ? folder.Config : Path.Combine(AppContext.BaseDirectory, "configs", "mnist-quick.json"));
        var options = arguments.Config is null && initial?.Run is { } before ? before with { Data = before.Data with { ClassNames = null } } : ConfigurationFile.Load(file);
        options = options with
        {
            // The run's own copy has those that it was started on, as its checkpoints have, with which the trainer compares.
            Data = ImageCodecs.Over(file == folder.Config ? options.Data with { ClassNames = null } : options.Data, arguments.Codec),
            Training = options.Training with
            {
                Steps = arguments.Steps ?? options.Training.Steps,
                Epochs = arguments.Steps is null ? options.Training.Epochs : null,
                Seed = arguments.Seed ?? options.Training.Seed,
            },
            Diffusion = arguments.Source.Over(options.Diffusion),
            Sampling = DrawingArguments.Over(options.Sampling, arguments.Sampler, arguments.Spacing),
        };
        options = initial?.Apply(options, arguments) ?? options;
        Mistakes.ThrowIfAny(options.Validate(), Mistakes.OfTraining);
        return options;
    }
}
