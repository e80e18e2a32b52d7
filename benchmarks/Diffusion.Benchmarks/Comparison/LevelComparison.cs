using System.Globalization;
using System.Text.Json.Nodes;

namespace Diffusion.Benchmarks;

/// <summary>
/// The comparison at every level that the processor has, each in a process of its own. Below the processor's own level eager is held down as well, by libtorch's variables; at <c>plain</c> only this
/// library's kernels are off, and libtorch is as it is. Networks other than the course's are measured at the processor's own level alone.
/// </summary>
internal static class LevelComparison
{
    private static readonly TimeSpan s_limit = TimeSpan.FromMinutes(30);

    /// <summary>Runs the levels, and prints a table of all and those of each.</summary>
    /// <param name="networks">The names of the networks.</param>
    /// <param name="file">Where the numbers are written as JSON, by level; <see langword="null"/> for nowhere.</param>
    /// <param name="quick">Whether the smallest network is measured.</param>
    /// <returns>0 where every level ended, else 1.</returns>
    public static int Run(IReadOnlyList<string> networks, string? file, bool quick)
    {
        var (levels, all) = (Enum.GetValues<ProcessorLevel>().Where(level => level <= Processor.Highest && At(level, networks).Length > 0).Reverse().ToArray(), new JsonObject());
        var folder = Directory.CreateTempSubdirectory("diffusion-compare-").FullName;
        try
        {
            foreach (var level in levels)
            {
                Console.WriteLine($"## At {level.ToSetting()}{Held(level)}\n");
                var json = Path.Combine(folder, level.ToSetting());
                string[] arguments = ["compare", "--network", string.Join(',', At(level, networks)), "--json", json, .. quick ? ["--quick"] : Array.Empty<string>()];
                if (Ended(arguments, level) is { } text)
                {
                    Console.WriteLine(text[Math.Max(0, text.IndexOf("| key", StringComparison.Ordinal))..]);
                    all[level.ToSetting()] = JsonNode.Parse(File.ReadAllText(json));
                }
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        Console.WriteLine($"## All levels\n\n{Table(levels, Goals.Of(networks), all)}");
        foreach (var level in Enum.GetValues<ProcessorLevel>().Where(level => level > Processor.Highest))
        {
            Console.WriteLine($"\nNot run: {level.ToSetting()}, which this processor does not have.");
        }

        if (file is not null)
        {
            File.WriteAllText(file, all.ToJsonString(new() { WriteIndented = true }) + "\n");
        }

        return all.Count == levels.Length ? 0 : 1;
    }

    /// <summary>What of the networks is measured at a level.</summary>
    private static string[] At(ProcessorLevel level, IEnumerable<string> networks) => [.. networks.Where(network => network == ComparedNetworks.Course || level == Processor.Highest)];

    /// <summary>What the process of a level printed; <see langword="null"/> where it failed or took too long, which is said.</summary>
    private static string? Ended(string[] arguments, ProcessorLevel level)
    {
        try
        {
            if (ChildProcess.Run(arguments, s_limit, environment: Variables(level)) is { } text)
            {
                return text;
            }

            Console.WriteLine($"Not ended after {s_limit.TotalMinutes:0} minutes.\n");
        }
        catch (InvalidOperationException failure)
        {
            Console.WriteLine($"{failure.Message}\n");
        }

        return null;
    }

    private static string Table(ProcessorLevel[] levels, IReadOnlyList<Goal> goals, JsonObject all)
    {
        var lines = new List<string> { $"| key | {string.Join(" | ", levels.Select(level => level.ToSetting()))} |", $"|---|{string.Concat(Enumerable.Repeat("---|", levels.Length))}" };
        lines.AddRange(goals.Select(goal => $"| {goal.Key} | {string.Join(" | ", levels.Select(level => Cell(goal, level, all[level.ToSetting()]?["details"]?[goal.Key])))} |"));
        return string.Join('\n', lines);
    }

    private static string Cell(Goal goal, ProcessorLevel level, JsonNode? detail)
    {
        if (detail?["least"] is null)
        {
            return "not measured";
        }

        var values = string.Create(CultureInfo.InvariantCulture, $"{detail["median"]!.GetValue<double>():0.00} ({detail["least"]!.GetValue<double>():0.00}–{detail["most"]!.GetValue<double>():0.00})");
        return goal.Bound(level) is null ? values : $"{values}, {goal.Describe(level)}: {ComparisonReport.Met(detail["met"]!.GetValue<bool>())}";
    }

    private static string Held(ProcessorLevel level) => Variables(level).Where(variable => variable.Key != "DIFFUSION_CPU").Select(variable => $"{variable.Key}={variable.Value}").ToArray() is { Length: > 0 } held
        ? $", eager with {string.Join(' ', held)}"
        : "";

    /// <summary>What the process of a level is told: this library's level and, below the processor's own, libtorch's.</summary>
    private static Dictionary<string, string> Variables(ProcessorLevel level)
    {
        var variables = new Dictionary<string, string> { ["DIFFUSION_CPU"] = level.ToSetting() };
        if (level < Processor.Highest && level == ProcessorLevel.Avx512)
        {
            variables["ONEDNN_MAX_CPU_ISA"] = "AVX512_CORE_VNNI"; // takes bfloat16 away, and nothing else
        }
        else if (level < Processor.Highest && level == ProcessorLevel.Avx2)
        {
            variables["ATEN_CPU_CAPABILITY"] = "avx2";
            variables["ONEDNN_MAX_CPU_ISA"] = "AVX2";
            variables["MKL_ENABLE_INSTRUCTIONS"] = "AVX2";
        }

        return variables;
    }
}
