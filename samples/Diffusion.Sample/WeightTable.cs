using System.Globalization;
using System.Text.Json;
using Diffusion.Configuration;
using Diffusion.Models;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>What files of weights hold, as tables: a summary, and a row for each tensor.</summary>
internal static class WeightTable
{
    // As many rows as fit a screen with the summary.
    private const int FewRows = 12;
    private const int MetadataLength = 60;

    /// <param name="path">What was asked for: of a model's folder the configuration beside the weights counts.</param>
    /// <param name="weights">The weights of it.</param>
    /// <param name="all">Whether every tensor is listed.</param>
    public static void Write(string path, WeightFiles weights, bool all)
    {
        var summary = Summary("Weights");
        summary.AddRow("file", Markup.Escape(weights.Path));
        summary.AddRow("format", Markup.Escape(weights.Files.Count == 1 ? weights.Format : $"{weights.Format}, {weights.Files.Count} shards"));
        var checkpoint = AddCheckpoint(summary, weights.Path);
        summary.AddRow("tensors", FormattableString.Invariant($"{weights.Tensors.Count}, {weights.Tensors.Values.Sum(tensor => tensor.Count):N0} numbers"));
        foreach (var type in weights.Tensors.Values.GroupBy(tensor => tensor.Type))
        {
            summary.AddRow("", FormattableString.Invariant($"{type.Count()} of {type.Key}"));
        }

        foreach (var type in weights.Unreadable.Values.GroupBy(tensor => tensor.Split(' ')[0]))
        {
            summary.AddRow("not readable", Markup.Escape($"{type.Count()} of {type.Key}, a type that TorchSharp does not have"));
        }

        foreach (var note in weights.Notes)
        {
            summary.AddRow("note", Markup.Escape(note));
        }

        foreach (var (key, text) in weights.Metadata.Where(item => item.Key != RunConfiguration.MetadataKey))
        {
            summary.AddRow("metadata", Markup.Escape($"{key}: {(text.Length <= MetadataLength || all ? text : text[..MetadataLength] + "…")}"));
        }

        if (weights.Metadata.TryGetValue(RunConfiguration.MetadataKey, out var json))
        {
            var run = TrainedWeights.IsModel(path, weights.Path) ? TrainedWeights.Find(path).Options : RunConfiguration.Parse(json, weights.Path);
            AddRun(summary, run);
            ClassList.AddTo(summary, run.Data.ClassNames ?? [], all);
        }
        else
        {
            ClassList.AddTo(summary, checkpoint?.ClassNames ?? [], all);
        }

        AnsiConsole.Write(summary);
        WriteTensors(weights, all);
    }

    /// <summary>A table of names and values.</summary>
    public static Table Summary(string title) => new Table { Title = new TableTitle(Markup.Escape(title)), ShowHeaders = false }.AddColumns("", "");

    private static void WriteTensors(WeightFiles weights, bool all)
    {
        var table = new Table().AddColumns("tensor", "shape", "type");
        var rows = weights.Tensors.Select(item => (item.Key, Shape(item.Value), item.Value.Type.ToString()))
            .Concat(weights.Unreadable.Select(item => (item.Key, item.Value[(item.Value.IndexOf(' ', StringComparison.Ordinal) + 1)..].Trim('[', ']').Replace(", ", "×", StringComparison.Ordinal), item.Value.Split(' ')[0] + ", not readable"))).ToList();
        var shown = all ? rows.Count : Math.Min(FewRows, rows.Count);
        foreach (var (name, shape, type) in rows.Take(shown))
        {
            table.AddRow(Markup.Escape(name), shape.Length == 0 ? "scalar" : shape, type);
        }

        AnsiConsole.Write(table);
        if (shown < rows.Count)
        {
            AnsiConsole.MarkupLineInterpolated($"and {rows.Count - shown} more; --all lists them");
        }
    }

    private static string Shape(TensorInfo info) => string.Join("×", info.Shape.Select(size => size.ToString(CultureInfo.InvariantCulture)));

    private static Checkpoint? AddCheckpoint(Table table, string file)
    {
        if (Path.GetDirectoryName(Path.GetFullPath(file)) is { } folder && File.Exists(Path.Combine(folder, "manifest.json")) && Checkpointed(table, folder) is { } checkpoint && checkpoint.Files.Contains(Path.GetFileName(file)))
        {
            table.AddRow("checkpoint", Markup.Escape($"step {checkpoint.Step}, seed {checkpoint.Seed}, {checkpoint.BatchSize} images a step, written by {checkpoint.Library}"));
            return checkpoint;
        }

        return null;
    }

    /// <summary>The checkpoint of a folder with a manifest.json, which is a common name: <see langword="null"/> where it is no checkpoint's.</summary>
    private static Checkpoint? Checkpointed(Table table, string folder)
    {
        try
        {
            return Checkpoint.Open(folder);
        }
        catch (InvalidDataException e) when (e.InnerException is JsonException)
        {
            table.AddRow("note", Markup.Escape($"{e.Message} It was not used."));
            return null;
        }
    }

    private static void AddRun(Table table, RunOptions options)
    {
        table.AddRow("images", Markup.Escape($"{options.Data.Shape}, {options.Data.Kind}, {options.Data.Path}"));
        table.AddRow("down", Markup.Escape(Blocks(options.Model.Down.Select(block => (block.Channels, block.Layers, block.Attention, block.Heads)))));
        table.AddRow("mid", Markup.Escape(Blocks(options.Model.Mid.Select(block => (block.Channels, block.Layers, block.Attention, block.Heads)))));
        table.AddRow("up", Markup.Escape(options.Model.Up.Count == 0 ? "mirror image of down" : Blocks(options.Model.Up.Select(block => (block.Channels, block.Layers, block.Attention, block.Heads)))));
        table.AddRow("diffusion", Markup.Escape($"schedule {options.Diffusion.Schedule}, {options.Diffusion.Timesteps} timesteps, predicts {options.Diffusion.Prediction}"));
        table.AddRow("drawing", Markup.Escape(ModelCard.Describe(options.Sampling)));
    }

    private static string Blocks(IEnumerable<(int Channels, int Layers, bool Attention, int Heads)> blocks) =>
        string.Join(" → ", blocks.Select(block => $"{block.Channels}×{block.Layers}{(block.Attention ? $" attention({block.Heads})" : "")}"));
}
