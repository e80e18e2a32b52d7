using Diffusion.Configuration;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Makes a network of another tool ready to draw: by its own scheduler, unless another sampler or schedule is asked for.</summary>
internal static class ForeignModel
{
    private const int DefaultCount = 4;

    // Of a network without a scheduler: what schedules have by default.
    private const int Timesteps = 1000;

    // As pipelines of diffusers have it; DDPMPipeline takes all timesteps.
    private const int DefaultSteps = 50;
    private const string AllTimesteps = "DDPMScheduler";

    public static TrainedModel Load(ForeignNetwork network, DrawingArguments arguments)
    {
        try
        {
            return Make(network, arguments);
        }
        catch
        {
            network.Dispose();
            throw;
        }
    }

    /// <summary>The schedule and the prediction of a network: its scheduler's, or those that are asked for.</summary>
    /// <exception cref="UsageException">There is none, or they contradict each other.</exception>
    public static (INoiseSchedule Schedule, Parameterization Prediction, string Name) Diffusion(ForeignNetwork network, SourceArguments arguments)
    {
        var asked = arguments.CreatePrediction();
        if (network.Scheduler is { } scheduler && arguments.Schedule is null)
        {
            return asked is null || asked.Name == scheduler.Parameterization.Name
                ? (network.Schedule!, scheduler.Parameterization, $"schedule of its {scheduler.ClassName}, {network.Schedule!.Timesteps} timesteps")
                : throw new UsageException($"--prediction {asked.Name} contradicts the scheduler of '{network.File}', {scheduler.ClassName}, by which the network predicts {scheduler.Parameterization.Name}. With --schedule NAME that scheduler is left aside.");
        }

        var timesteps = network.Schedule?.Timesteps ?? Timesteps;
        var schedule = arguments.CreateSchedule(timesteps)
            ?? throw new UsageException($"'{network.File}' is a network without a scheduler, and does not say with which noise schedule it was trained: give it by --schedule, one of {string.Join(", ", NoiseSchedule.Names)}.");
        if (asked is null && network.Scheduler is null)
        {
            AnsiConsole.MarkupLineInterpolated($"The network is taken to predict {Parameterization.Epsilon.Name}, as most do; --prediction says otherwise.");
        }

        return (schedule, asked ?? network.Scheduler?.Parameterization ?? Parameterization.Epsilon, $"schedule {arguments.Schedule}, {timesteps} timesteps");
    }

    private static TrainedModel Make(ForeignNetwork network, DrawingArguments arguments)
    {
        CheckConditions(network);
        var own = network.Scheduler is not null && arguments.Schedule is null && arguments.Sampler is null;
        if (own && arguments.Spacing is not null)
        {
            throw new UsageException($"--spacing goes with --sampler here: the {network.Scheduler!.ClassName} of '{network.File}' has timesteps of its own.");
        }

        var (schedule, prediction, name) = Diffusion(network, arguments.Source);
        var nullLabel = NullLabel(network, arguments);
        var options = Options(network, arguments, nullLabel, own ? Steps(network, schedule) : null);
        var label = LabelledDrawing.Find(network.File, options, arguments);
        network.Network.to(cuda.is_available() ? CUDA : CPU);
        var denoiser = new NetworkDenoiser(network.Network, schedule, prediction, nullLabel is { } none ? Condition.OfLabels(none) : null);
        var sampler = UsageException.Unless(() => own ? network.Scheduler!.CreateSampler(options.Sampling.Steps!.Value) : options.Sampling.CreateSampler());
        var steps = UsageException.Unless(() => sampler.Levels(schedule).Count - 1);
        var limit = network.Scheduler?.Limit ?? ImageLimit.Clip();
        TrainedModel.Say($"{network.Kind}, images {network.Network.Options.Image}", network.File, name, prediction.Name, $"{(own ? network.Scheduler!.ClassName : options.Sampling.Sampler)} (limit on images: {limit})", denoiser, steps);
        if (label is { } one)
        {
            AnsiConsole.MarkupLineInterpolated($"{ClassList.Describe(options.Data, one)}");
        }

        return new TrainedModel(network.File, options, network, denoiser, label, sampler, own ? ImageLimit.None : limit) { Shape = network.Network.Options.Image, SamplerName = own ? network.Scheduler!.ClassName : options.Sampling.Sampler };
    }

    /// <summary>What no command can give a network, or draw.</summary>
    private static void CheckConditions(ForeignNetwork network)
    {
        var (image, dialect) = (network.Network.Options.Image, network.Network.Options.Dialect);
        if (image.Channels is not (1 or 3))
        {
            throw new UsageException(
                $"The images of the network of '{network.File}' have {image.Channels} channels, and pictures need 1 or 3. A network on patches draws from its pipeline's folder, whose model_index.json notes them.");
        }

        if (dialect.Context is { } context)
        {
            throw new UsageException($"The network of '{network.File}' needs a context of {context.Channels} channels, such as an encoded text, which no command gives it.");
        }

        if (dialect.Labels is not null && network.Labels == 0)
        {
            throw new UsageException($"The network of '{network.File}' takes labels that are no classes ({dialect.Labels.Kind}), which no command gives it.");
        }
    }

    private static int Steps(ForeignNetwork network, INoiseSchedule schedule) =>
        network.Scheduler!.ClassName == AllTimesteps ? schedule.Timesteps : Math.Min(DefaultSteps, schedule.Timesteps);

    private static long? NullLabel(ForeignNetwork network, DrawingArguments arguments)
    {
        var label = arguments.Source.NullLabel ?? network.Pipeline?.NullLabel;
        if (label is { } given && (given < 0 || given >= network.Labels))
        {
            throw new UsageException(network.Labels == 0
                ? $"--null-label {given} needs a class-conditional network; the one of '{network.File}' has no labels."
                : $"--null-label must be in [0, {network.Labels - 1}], the labels of '{network.File}'; it is {given}.");
        }

        return label is not null || network.Labels == 0 || arguments.Guidance is null or 1
            ? label
            : throw new UsageException($"--guidance needs a label that stands for no class, and '{network.File}' does not say which of its {network.Labels} it is: give it by --null-label.");
    }

    /// <summary>What stands for a run's options: the images of the network, its classes, and how to draw.</summary>
    private static RunOptions Options(ForeignNetwork network, DrawingArguments arguments, long? nullLabel, int? steps)
    {
        var (image, dialect) = (network.Network.Options.Image, network.Network.Options.Dialect);
        // A run has one label more than classes, the last, for none; here it is one of the labels or there is none.
        var classes = nullLabel == network.Labels - 1 ? network.Labels - 1 : network.Labels;
        var options = new RunOptions
        {
            Data = new() { Kind = DataKind.Folder, Channels = image.Channels, Size = image.Height, ClassNames = network.Pipeline?.ClassNames },
            Model = network.Network.Options with { Dialect = dialect with { Labels = network.Labels == 0 ? null : new() { Classes = classes + 1 } } },
            Sampling = arguments.Over(new SamplingOptions { Count = DefaultCount, Steps = steps, Clip = false }),
        };
        Mistakes.ThrowIfAny(options.Sampling.Validate().Select(error => error.Under("Sampling")), Mistakes.OfDrawing);
        return options;
    }
}
