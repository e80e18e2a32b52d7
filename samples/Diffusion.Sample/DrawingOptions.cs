using System.CommandLine;

namespace Diffusion.Sample;

/// <summary>The command-line options that all commands share that draw with a trained network.</summary>
internal static class DrawingOptions
{
    public static readonly Option<string> Sampler = new("--sampler") { Description = $"The sampler, instead of the configuration's: {string.Join(", ", Diffusion.Sampler.Names)}." };
    public static readonly Option<string> Spacing = new("--spacing") { Description = $"Where the steps lie, instead of the configuration's: {string.Join(", ", StepSpacing.All)}." };
    public static readonly Option<string> Schedule = new("--schedule") { Description = $"The noise schedule. train chooses it; a trained network has its own, but for a network of diffusers without a scheduler. {string.Join(", ", NoiseSchedule.Names)}." };
    public static readonly Option<long?> Seed = NumberOption.Optional<long>("--seed", "The seed of the noise, instead of the configuration's.");
    public static readonly Option<int?> Count = NumberOption.Optional<int>("--count", "The number of images.");
    public static readonly Option<DirectoryInfo> Out = new("--out") { Description = "The folder for results.", DefaultValueFactory = _ => new DirectoryInfo("out") };

    private static readonly Option<string> s_checkpoint = new("--checkpoint") { Description = "Needed: a run's folder, a checkpoint's folder, a model's folder such as samples/models/mnist, or a file of weights that convert wrote; or of diffusers: a pipeline's folder, or with --schedule a network's folder or file." };
    private static readonly Option<int?> s_steps = NumberOption.Optional<int>("--steps", "Sampling steps, instead of the configuration's.");
    private static readonly Option<double?> s_guidance = NumberOption.Optional<double>("--guidance", "The scale of guidance by labels, for networks that know labels, instead of the configuration's; 1 is none.");
    private static readonly Option<double?> s_sigmaMin = NumberOption.Optional<double>("--guidance-sigma-min", "Guidance above this noise-to-signal ratio alone, instead of the configuration's.");
    private static readonly Option<double?> s_sigmaMax = NumberOption.Optional<double>("--guidance-sigma-max", "Guidance up to this noise-to-signal ratio alone, instead of the configuration's.");
    private static readonly Option<string?> s_label = new("--label") { Description = "The class to draw, by its name, or by its label where no class has that name, for networks that know labels; without it sample and compare draw all of them in turn, and the commands that change images work without a label." };

    /// <summary>What and how to draw, without the network and the folder for results.</summary>
    public static IReadOnlyList<Option> OfDrawing { get; } = [Count, Sampler, s_steps, Spacing, Schedule, s_guidance, s_sigmaMin, s_sigmaMax, s_label, Seed, .. SourceOptions.All];

    /// <summary>A command with these options and some of its own.</summary>
    public static Command Command(string name, string description, Action<ParseResult, CancellationToken> run, params ReadOnlySpan<Option> own)
    {
        var command = new Command(name, description) { s_checkpoint };
        foreach (var option in (Option[])[.. own, .. OfDrawing, Out])
        {
            command.Add(option);
        }

        command.SetAction(arguments => ExitCode.Of(cancellation => Run(run, arguments, cancellation)));
        return command;
    }

    public static DrawingArguments Read(ParseResult arguments) => Read(
        arguments,
        arguments.GetValue(s_checkpoint) ?? throw new UsageException(
            "--checkpoint is needed, the network to draw with: a model that comes with this program, such as samples/models/mnist; the folder of a run (--out of the command train, 'out' by default); or a folder of diffusers."));

    /// <summary>For a command with an option of its own for the network.</summary>
    public static DrawingArguments Read(ParseResult arguments, string checkpoint) => Read(arguments, checkpoint, arguments.GetRequiredValue(Out).FullName);

    /// <summary>Whether the option for the network is given.</summary>
    public static bool HasCheckpoint(ParseResult arguments) => arguments.GetValue(s_checkpoint) is not null;

    /// <summary>For a command with options of its own for the network and the results.</summary>
    public static DrawingArguments Read(ParseResult arguments, string checkpoint, string results) => new(
        IncludedFiles.Find(checkpoint),
        results,
        arguments.GetValue(Sampler),
        arguments.GetValue(s_steps),
        arguments.GetValue(Spacing),
        arguments.GetValue(Schedule),
        arguments.GetValue(s_guidance),
        (arguments.GetValue(s_sigmaMin), arguments.GetValue(s_sigmaMax)),
        arguments.GetValue(s_label),
        arguments.GetValue(Seed),
        arguments.GetValue(Count),
        SourceOptions.Read(arguments, arguments.GetValue(Schedule)));

    private static void Run(Action<ParseResult, CancellationToken> run, ParseResult arguments, CancellationToken cancellation)
    {
        try
        {
            OutputFolder.ThrowIfUnusable(arguments.GetRequiredValue(Out).FullName);
            run(arguments, cancellation);
        }
        catch (OperationCanceledException)
        {
            Console.Error.WriteLine("Stopped before anything was written. The same command begins again.");
            throw;
        }
    }
}
