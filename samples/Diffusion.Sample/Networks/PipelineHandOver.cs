using Diffusion.Configuration;
using Diffusion.Models;
using Spectre.Console;
using TorchSharp;

namespace Diffusion.Sample;

/// <summary>Writes a run that was trained here as a pipeline's folder of diffusers.</summary>
internal static class PipelineHandOver
{
    private const string Sampler = "ddpm";

    /// <summary>Whether convert is to write a pipeline's folder: diffusers' dialect, and no name of a file.</summary>
    public static bool IsAskedFor(string to, string? dialect, bool reverse) => !reverse && WeightDialects.IsDiffusers(dialect) && !IsNameOfFile(to);

    /// <summary>What to do for a folder with the name of a file.</summary>
    public static string Hint(string to, string? dialect, bool reverse) =>
        reverse || !WeightDialects.IsDiffusers(dialect) ? "" : $" A run of this app becomes a folder, which is named without '{Path.GetExtension(to)}', or with '{Path.DirectorySeparatorChar}' at the end.";

    /// <summary>Whether a path that is no folder ends as names of files do: .json, .zip; a number or version is part of a folder's name.</summary>
    public static bool IsNameOfFile(string path) =>
        !Path.EndsInDirectorySeparator(path) && !Directory.Exists(path) && Path.GetExtension(path) is [_, var first, .. var rest]
        && char.IsAsciiLetter(first) && !(first is 'v' or 'V' && rest.Length > 0 && rest.All(char.IsAsciiDigit));

    /// <param name="from">A run's folder, whose averaged weights are taken, a checkpoint's folder or a file of weights with the run's configuration.</param>
    /// <param name="to">The folder to make.</param>
    public static void Run(string from, string to)
    {
        DiffusionRuntime.EnsureLoaded();
        ThrowUnlessRun(from);
        var trained = TrainedWeights.Find(from);
        using var pipeline = Pipeline(trained);
        pipeline.Save(to);
        var sampling = trained.Options.Sampling;
        AnsiConsole.MarkupLineInterpolated($"Wrote {to}: a {pipeline.ClassName} of diffusers with the weights of {trained.File}");
        AnsiConsole.MarkupLineInterpolated($"  model_index.json also says what its images are: values in [[-1, 1]], {trained.Options.Data.Shape}{(pipeline.ClassNames is { } names ? $", {names.Count} class names" : "")}{(pipeline.NullLabel is { } label ? $", {label} is the label for no class" : "")}");
        if (trained.Options.Model.Dialect.PatchSize is var patch and not 1)
        {
            AnsiConsole.MarkupLineInterpolated($"  and that its network is on patches of {patch}×{patch} pixels. {Samples(trained.Options.Data.Shape, patch)}");
        }

        if (IsFlow(trained.Options))
        {
            AnsiConsole.MarkupLineInterpolated(
                $"  Its scheduler is a {pipeline.Scheduler.ClassName}, Euler's method. The run's own way to draw is not in it: {Arguments(sampling)}{(sampling.Clip ? ", and x̂₀ clipped to [[-1, 1]] (sampling.clip)" : "")}");
        }
        else if (!sampling.Sampler.Equals(Sampler, StringComparison.OrdinalIgnoreCase) || Spacing(sampling) is null || sampling.Steps is not null || sampling.Guidance != 1)
        {
            AnsiConsole.MarkupLineInterpolated($"  Its scheduler is a {pipeline.Scheduler.ClassName} over all timesteps. The run's own way to draw is not in it: {Arguments(sampling)}");
        }
    }

    private static string Samples(ImageShape image, int patch) =>
        $"In Python samples are [B, {image.Channels * patch * patch}, {image.Height / patch}, {image.Width / patch}], of which torch.nn.functional.pixel_shuffle(samples, {patch}) makes images.";

    /// <summary>How to draw as the run does, on the command line.</summary>
    private static string Arguments(SamplingOptions sampling)
    {
        var guidance = sampling.CreateGuidance();
        var interval = (guidance.SigmaMin == 0 ? "" : FormattableString.Invariant($" --guidance-sigma-min {guidance.SigmaMin}")) + (double.IsInfinity(guidance.SigmaMax) ? "" : FormattableString.Invariant($" --guidance-sigma-max {guidance.SigmaMax}"));
        return $"--sampler {sampling.Sampler}{(sampling.Steps is { } steps ? $" --steps {steps}" : "")}{(sampling.Spacing is { } spacing ? $" --spacing {spacing}" : "")}{(sampling.Guidance != 1 ? FormattableString.Invariant($" --guidance {sampling.Guidance}{interval}") : "")}";
    }

    /// <summary>Whether a run is of a rectified flow, whose scheduler has no limit on images and no options of DDPM.</summary>
    private static bool IsFlow(RunOptions options) => options.Diffusion.CreateParameterization() == Parameterization.Flow;

    /// <exception cref="UsageException">There is no run, checkpoint or model of this app.</exception>
    public static void ThrowUnlessRun(string from)
    {
        if (Directory.Exists(from) ? !TrainedWeights.IsRun(from) : File.Exists(from) && !TrainedWeights.HasRun(from))
        {
            throw new UsageException($"--to must be a file *.safetensors, the one format of weights that is written; a folder is for a run of this app, and '{from}' is none.");
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
            var (limit, sampling) = IsFlow(options) ? (null, null) : (options.Sampling.Clip ? ImageLimit.Clip() : ImageLimit.None, Steps(options));
            return DiffusersPipeline.From(
                network, options.Diffusion.CreateSchedule(), options.Diffusion.CreateParameterization(), limit, sampling, options.NullLabel, options.Data.ClassNames);
        }
        catch (ArgumentException e)
        {
            throw new InvalidDataException($"'{trained.File}' cannot be a pipeline of diffusers: {UsageException.Text(e)}", e);
        }
    }

    private static DdpmOptions Steps(RunOptions options) => new()
    {
        Spacing = Spacing(options.Sampling) ?? StepSpacing.Trailing,
        Variance = options.Objective.LearnedVariance is null ? ReverseVariance.FixedSmall : ReverseVariance.LearnedRange,
    };

    /// <summary>The spacing, if a DDPMScheduler has it.</summary>
    private static StepSpacing? Spacing(SamplingOptions sampling) =>
        sampling.CreateSpacing() is not { } spacing ? StepSpacing.Trailing : spacing == StepSpacing.Trailing || spacing == StepSpacing.Leading || spacing == StepSpacing.Linspace ? spacing : null;
}
