using Diffusion.Configuration;
using Diffusion.Models;
using Spectre.Console;
using TorchSharp;

namespace Diffusion.Sample;

/// <summary>Writes a run that was trained here as a pipeline's folder of diffusers.</summary>
internal static class PipelineHandOver
{
    private const string Sampler = "ddpm";

    /// <summary>Whether convert is to write a pipeline's folder: diffusers' dialect, and no name of a file of weights.</summary>
    public static bool IsAskedFor(string to, string? dialect, bool reverse) =>
        !reverse && WeightDialects.IsDiffusers(dialect) && Path.GetExtension(Path.TrimEndingDirectorySeparator(to)).ToUpperInvariant() is not (".SAFETENSORS" or ".PTH" or ".PT" or ".BIN" or ".CKPT");

    /// <param name="from">A run's folder, whose averaged weights are taken, a checkpoint's folder or a file of weights with the run's configuration.</param>
    /// <param name="to">The folder to make.</param>
    public static void Run(string from, string to)
    {
        DiffusionRuntime.EnsureLoaded();
        if (Directory.Exists(from) ? !TrainedWeights.IsRun(from) : File.Exists(from) && !TrainedWeights.HasRun(from))
        {
            throw new UsageException($"--to must be a file *.safetensors, the one format of weights that is written; a folder is for a run of this app, and '{from}' is none.");
        }

        var trained = TrainedWeights.Find(from);
        using var pipeline = Pipeline(trained);
        pipeline.Save(to);
        var sampling = trained.Options.Sampling;
        AnsiConsole.MarkupLineInterpolated($"Wrote {to}: a {pipeline.ClassName} of diffusers with the weights of {trained.File}");
        AnsiConsole.MarkupLineInterpolated($"  model_index.json also says what its images are: values in [[-1, 1]], {trained.Options.Data.Shape}{(pipeline.ClassNames is { } names ? $", {names.Count} class names" : "")}{(pipeline.NullLabel is { } label ? $", {label} is the label for no class" : "")}");
        if (!sampling.Sampler.Equals(Sampler, StringComparison.OrdinalIgnoreCase) || Spacing(sampling) is null || sampling.Steps is not null || sampling.Guidance != 1)
        {
            AnsiConsole.MarkupLineInterpolated(
                $"  Its scheduler is a DDPMScheduler over all timesteps. The run's own way to draw is not in it: --sampler {sampling.Sampler}{(sampling.Steps is { } steps ? $" --steps {steps}" : "")}{(sampling.Spacing is { } spacing ? $" --spacing {spacing}" : "")}{(sampling.Guidance != 1 ? FormattableString.Invariant($" --guidance {sampling.Guidance}") : "")}");
        }
    }

    private static DiffusersPipeline Pipeline(TrainedWeights trained)
    {
        var options = trained.Options;
        if (options.Objective.SelfConditioning is not null)
        {
            throw new InvalidDataException($"'{trained.File}' cannot be a pipeline of diffusers: its network is trained with self-conditioning, which no pipeline there has.");
        }

        using var network = options.CreateNetwork();
        trained.Fill(network);
        try
        {
            var spacing = Spacing(options.Sampling) ?? StepSpacing.Trailing;
            return DiffusersPipeline.From(
                network, options.Diffusion.CreateSchedule(), options.Diffusion.CreateParameterization(), options.Sampling.Clip ? ImageLimit.Clip() : ImageLimit.None,
                new() { Spacing = spacing, Variance = options.Objective.LearnedVariance is null ? ReverseVariance.FixedSmall : ReverseVariance.LearnedRange }, options.NullLabel, options.Data.ClassNames);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"'{trained.File}' cannot be a pipeline of diffusers: {e.Message.ReplaceLineEndings(" ")}", e);
        }
    }

    /// <summary>The spacing, if a DDPMScheduler has it.</summary>
    private static StepSpacing? Spacing(SamplingOptions sampling) =>
        sampling.CreateSpacing() is not { } spacing ? StepSpacing.Trailing : spacing == StepSpacing.Trailing || spacing == StepSpacing.Leading || spacing == StepSpacing.Linspace ? spacing : null;
}
