using Diffusion.Configuration;
using Diffusion.Models;
using Spectre.Console;
using TorchSharp;

namespace Diffusion.Sample;

/// <summary>Describes a file of weights and the run it is from, and tells whether this machine's kernels are sound.</summary>
internal static class InfoCommand
{
    public static void Run(string? path)
    {
        DiffusionRuntime.EnsureLoaded();
        if (path is not null)
        {
            ShowWeights(TrainedWeights.FindFile(path));
        }

        var machine = Table("This machine");
        machine.AddRow("system", Markup.Escape($"{System.Runtime.InteropServices.RuntimeInformation.OSDescription}, {Environment.ProcessorCount} cores"));
        machine.AddRow("libtorch", Markup.Escape($"{torch.__version__}, {(torch.cuda.is_available() ? $"CUDA, {torch.cuda.device_count()} device(s)" : "CPU")}, {torch.get_num_threads()} threads"));
        var report = KernelCheck.Run();
        machine.AddRow("kernels", Markup.Escape(report.ToString()));
        AnsiConsole.Write(machine);
        if (!report.Sound)
        {
            throw new InvalidOperationException("The layers of this library compute wrong numbers on this machine: do not train here.");
        }
    }

    private static void ShowWeights(string file)
    {
        using var weights = SafetensorsFile.Open(file);
        var table = Table(file);
        if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && File.Exists(Path.Combine(folder, "manifest.json")))
        {
            var manifest = Checkpoint.Open(folder).Manifest;
            table.AddRow("checkpoint", Markup.Escape($"step {manifest.Step}, seed {manifest.Seed}, {manifest.BatchSize} images a step, written by {manifest.Library}"));
        }

        table.AddRow("tensors", FormattableString.Invariant($"{weights.Tensors.Count}, {weights.Tensors.Values.Sum(tensor => tensor.Count):N0} numbers"));
        foreach (var type in weights.Tensors.Values.GroupBy(tensor => tensor.Type))
        {
            table.AddRow("", FormattableString.Invariant($"{type.Count()} of {type.Key}"));
        }

        if (weights.Metadata.TryGetValue(RunConfiguration.MetadataKey, out var json))
        {
            var options = RunConfiguration.Parse(json, file);
            table.AddRow("images", Markup.Escape($"{options.Data.Shape}, {options.Data.Kind}, {options.Data.Path}"));
            table.AddRow("down", Markup.Escape(Blocks(options.Model.Down)));
            table.AddRow("mid", Markup.Escape(Blocks(options.Model.Mid)));
            table.AddRow("up", Markup.Escape(options.Model.Up.Count == 0 ? "mirror image of down" : Blocks(options.Model.Up)));
            table.AddRow("diffusion", Markup.Escape($"schedule {options.Diffusion.Schedule}, {options.Diffusion.Timesteps} timesteps, predicts {options.Diffusion.Prediction}"));
        }

        AnsiConsole.Write(table);
    }

    private static string Blocks(IEnumerable<IBlockOptions> blocks) =>
        string.Join(" → ", blocks.Select(block => $"{block.Channels}×{block.Layers}{(block.Attention ? $" attention({block.Heads})" : "")}"));

    private static Table Table(string title) => new Table { Title = new TableTitle(Markup.Escape(title)), ShowHeaders = false }.AddColumns("", "");
}
