using Diffusion.Models;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>What a scheduler of diffusers is.</summary>
internal static class SchedulerTable
{
    private const string FileName = "scheduler_config.json";

    /// <summary>The file of a scheduler alone: the one that is given, which has "scheduler" in its name, or that of a folder without a pipeline and a network; <see langword="null"/> for anything else.</summary>
    public static string? Find(string path)
    {
        if (!Directory.Exists(path))
        {
            return Path.GetFileName(path) is var name && name.Contains("scheduler", StringComparison.OrdinalIgnoreCase) && name.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && File.Exists(path) ? path : null;
        }

        var file = Path.Combine(path, FileName);
        return File.Exists(file) && !File.Exists(Path.Combine(path, "model_index.json")) && !ForeignNetwork.HasNetwork(path) ? file : null;
    }

    /// <exception cref="InvalidDataException">It is none, or not known; the message names the file and the reason.</exception>
    public static void Write(string file, IReadOnlyCollection<string> ignoredKeys)
    {
        var table = WeightTable.Summary("Scheduler of diffusers");
        table.AddRow("file", Markup.Escape(file));
        AddTo(table, DiffusersScheduler.Read(file, ignoredKeys));
        AnsiConsole.Write(table);
    }

    public static void AddTo(Table table, DiffusersScheduler scheduler)
    {
        var schedule = scheduler.Schedule;
        var (first, last) = (schedule.LevelAt(0), schedule.LevelAt(schedule.Timesteps - 1));
        table.AddRow("scheduler", Markup.Escape($"{scheduler.ClassName}, {schedule.Timesteps} timesteps, predicts {scheduler.Parameterization.Name}"));
        if (scheduler.UnusedKeys.Count > 0)
        {
            table.AddRow("keys not used", Markup.Escape($"{string.Join(", ", scheduler.UnusedKeys)}: of other scheduler classes"));
        }

        table.AddRow("levels", FormattableString.Invariant($"α {first.Alpha:G4} and σ {first.Sigma:G4} at timestep 0, α {last.Alpha:G4} and σ {last.Sigma:G4} at the last"));
    }
}
