using System.CommandLine;
using System.Globalization;
using Spectre.Console;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>The same noise drawn by several samplers, scales of guidance or networks.</summary>
internal static class CompareCommand
{
    private const int DefaultImages = 10;

    private static readonly Option<string[]> s_samplers = new("--samplers") { Description = "A row for each of these samplers.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<double[]> s_guidances = NumberOption.Several<double>("--guidances", "A row for each of these scales of guidance, instead of samplers.");
    private static readonly Option<string[]> s_checkpoints = new("--checkpoints") { Description = "A row for each of these networks, instead of samplers: whatever --checkpoint takes.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<int[]> s_calls = NumberOption.Several<int>("--calls", "A column (of --count images, 1 by default) for each number of network calls an image, a guided call counted once: a sampler takes as many steps as they allow. Without it a row has --count images, 10 by default.");

    public static Command Create() => DrawingOptions.Command(
        "compare", "Draw the same noise in several ways: compare.png has a row for each of --samplers, --guidances or --checkpoints, a column for each of --calls or for each image.", Run, s_samplers, s_guidances, s_checkpoints, s_calls);

    private static void Run(ParseResult arguments, CancellationToken cancellation)
    {
        var (samplers, guidances, checkpoints, calls) = (arguments.GetValue(s_samplers) ?? [], arguments.GetValue(s_guidances) ?? [], arguments.GetValue(s_checkpoints) ?? [], arguments.GetValue(s_calls) ?? []);
        var shared = checkpoints.Length > 0 ? DrawingOptions.Read(arguments, checkpoints[0]) : DrawingOptions.Read(arguments);
        Check(shared, samplers, guidances, checkpoints, calls);
        UsageException.IfUnused("--checkpoints says which.", ("--checkpoint", checkpoints.Length > 0 && DrawingOptions.HasCheckpoint(arguments)));
        var count = shared.Count ?? (calls.Length > 0 ? 1 : DefaultImages);
        var networks = checkpoints.Select((path, i) => (Path: path, Drawing: i == 0 ? shared : shared with { Checkpoint = IncludedFiles.Find(path) })).ToArray();
        ThrowIfOfUnlikeSizes(networks);
        (string Name, DrawingArguments Drawing)[] rows =
        [
            .. samplers.Select(name => (name, shared with { Sampler = name })),
            .. guidances.Select(scale => (string.Create(CultureInfo.InvariantCulture, $"guidance {scale}"), shared with { Guidance = scale, Interval = scale == 1 ? default : shared.Interval })),
            .. networks,
        ];
        using var scope = NewDisposeScope();
        var (pictures, table) = (new List<Tensor>(), new Table().AddColumn("row"));
        table.AddColumns(calls.Length > 0 ? [.. calls.Select(number => $"{number} calls")] : ["steps"]);
        foreach (var (name, drawing) in rows)
        {
            int?[] steps = calls.Length > 0 ? Steps(drawing, calls) : [drawing.Steps];
            var cells = steps.Select(number => Draw(name, drawing with { Steps = number }, number is null && calls.Length > 0, count, cancellation)).ToArray();
            pictures.AddRange(cells.Select(cell => cell.Images));
            table.AddRow([Markup.Escape(name), .. cells.Select(cell => cell.Steps)]);
        }

        AnsiConsole.Write(table);
        var columns = count * Math.Max(1, calls.Length);
        Picture.Save(shared.Out, "compare", cat(pictures), columns, $"{rows.Length} row(s) of {columns} images");
    }

    private static void Check(DrawingArguments shared, string[] samplers, double[] guidances, string[] checkpoints, int[] calls)
    {
        if (new[] { samplers.Length, guidances.Length, checkpoints.Length }.Count(number => number > 0) != 1)
        {
            throw new UsageException($"Give one of --samplers, --guidances and --checkpoints, a row for each; given are {samplers.Length}, {guidances.Length} and {checkpoints.Length}.");
        }

        if (shared.Count < 1 || calls.Any(number => number < 1))
        {
            throw new UsageException($"--count and each of --calls must be at least 1; they are {shared.Count ?? 1} and {string.Join(", ", calls)}.");
        }

        UsageException.IfUnused("--samplers says which.", ("--sampler", samplers.Length > 0 && shared.Sampler is not null));
        UsageException.IfUnused("--guidances says how much.", ("--guidance", guidances.Length > 0 && shared.Guidance is not null));
        UsageException.IfUnused("every scale of guidance is 1, which is none.", shared.GivenInterval(guidances.Length > 0 && guidances.All(scale => scale == 1)));
        UsageException.IfUnused("--calls says how many.", ("--steps", calls.Length > 0 && shared.Steps is not null));
    }

    /// <summary>Opens each network, before any draws.</summary>
    private static void ThrowIfOfUnlikeSizes((string Path, DrawingArguments Drawing)[] networks)
    {
        var shapes = Array.ConvertAll(networks, network =>
        {
            using var model = TrainedModel.Load(network.Drawing);
            return (network.Path, model.Shape);
        });
        foreach (var (path, shape) in shapes)
        {
            if (shape != shapes[0].Shape)
            {
                throw new UsageException($"--checkpoints: the images of all rows must be of one size; those of '{path}' are {shape}, those of '{shapes[0].Path}' {shapes[0].Shape}.");
            }
        }
    }

    /// <summary>The steps that so many calls allow.</summary>
    private static int?[] Steps(DrawingArguments drawing, int[] calls)
    {
        using var model = TrainedModel.Load(drawing);
        var (name, spacing) = (model.SamplerName, model.Options.Sampling.CreateSpacing());
        return Sampler.Names.Contains(name, StringComparer.OrdinalIgnoreCase)
            ? [.. calls.Select(number => CallCount.Steps(steps => Sampler.Create(name, steps, spacing), model.Plain.Schedule, number))]
            : throw new UsageException($"--calls needs a sampler of this program, by --samplers or --sampler: how often {name} calls the network is not known.");
    }

    /// <summary>The images of a cell, grey where there can be none, and how many steps they took.</summary>
    private static (Tensor Images, string Steps) Draw(string name, DrawingArguments drawing, bool none, int count, CancellationToken cancellation)
    {
        using var model = TrainedModel.Load(drawing);
        if (none)
        {
            return (zeros(model.Shape.Batch(count)), "none");
        }

        using var noise = NoiseSource.Seeded(model.Options.Sampling.Seed);
        var sampler = model.CreateSampler();
        var steps = UsageException.Unless(() => sampler.Levels(model.Denoiser.Schedule).Count - 1);
        var images = Picture.Draw(Markup.Escape($"{name}, {steps} steps"), steps, progress =>
            sampler.SampleFrom(model.InTurn(0, count), model.Shape.Batch(count), noise, progress, cancellationToken: cancellation)).cpu();
        return (images, steps.ToString(CultureInfo.InvariantCulture));
    }
}
