using System.Globalization;
using System.Text.Json.Nodes;

namespace Diffusion.Benchmarks;

/// <summary>The comparison as a table and as JSON.</summary>
internal static class ComparisonReport
{
    /// <summary>The head of the table.</summary>
    public const string Head = "| key | what | goal | measured | rounds | eager | ours | met |\n|---|---|---|---|---|---|---|---|";

    private const double Kibibyte = 1 << 10;
    private const double Mebibyte = 1 << 20;

    /// <summary>A row for each goal.</summary>
    public static string Rows(IReadOnlyDictionary<string, Measurement> measured, IEnumerable<Goal> goals) =>
        string.Join('\n', goals.Select(goal => Row(goal, measured.GetValueOrDefault(goal.Key))));

    /// <summary>The medians by key, at the top; <c>null</c> where nothing was measured. The rest is in <c>details</c>.</summary>
    public static string Json(IReadOnlyDictionary<string, Measurement> measured, IEnumerable<Goal> goals)
    {
        var (json, details) = (new JsonObject(), new JsonObject());
        foreach (var goal in goals)
        {
            var measurement = measured.GetValueOrDefault(goal.Key);
            json[goal.Key] = measurement?.Values.Median;
            details[goal.Key] = Detail(goal, measurement);
        }

        json["details"] = details;
        json["level"] = Processor.Level.ToSetting();
        json["machine"] = Machine.Name;
        json["versions"] = Machine.Versions;
        json["threads"] = TorchSharp.torch.get_num_threads();
        json["date"] = Machine.Date;
        return json.ToJsonString(new() { WriteIndented = true }) + "\n";
    }

    private static JsonObject Detail(Goal goal, Measurement? measurement)
    {
        var detail = new JsonObject { ["what"] = goal.What, [goal.IsUpper ? "goal_at_most" : "goal_at_least"] = goal.Bound(Processor.Level), ["samples"] = measurement?.Values.Count ?? 0 };
        if (measurement is not null)
        {
            var unit = IsMemory(goal) ? "bytes" : "seconds";
            detail["median"] = measurement.Values.Median;
            detail["least"] = measurement.Values.Least;
            detail["most"] = measurement.Values.Most;
            detail[$"eager_{unit}"] = measurement.Eager?.Median;
            detail[$"ours_{unit}"] = measurement.Ours.Median;
            detail["met"] = goal.IsMet(Processor.Level, measurement.Values);
        }

        return detail;
    }

    private static string Row(Goal goal, Measurement? measurement)
    {
        var bound = goal.Describe(Processor.Level);
        return measurement is null
            ? $"| {goal.Key} | {goal.What} | {bound} | {Missing(goal)} | | | | |"
            : $"| {goal.Key} | {goal.What} | {bound} | {measurement.Values} | {measurement.Values.Count} | {Amount(goal, measurement.Eager)} | {Amount(goal, measurement.Ours)} | {Met(goal.IsMet(Processor.Level, measurement.Values))} |";
    }

    /// <summary>Whether a goal is met, in a table.</summary>
    public static string Met(bool? met) => met switch { true => "yes", false => "no", null => "" };

    private static string Missing(Goal goal) => IsMemory(goal) && !ResidentMemory.IsMeasured ? "not measured on this system" : "not available";

    private static string Amount(Goal goal, Samples? samples) => samples is null ? ""
        : IsMemory(goal) ? Bytes(samples.Median)
        : string.Create(CultureInfo.InvariantCulture, $"{1000 * samples.Median:0.#} ms");

    private static string Bytes(double bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{(bytes < Mebibyte ? bytes / Kibibyte : bytes / Mebibyte):0.#} {(bytes < Mebibyte ? "KiB" : "MiB")}");

    private static bool IsMemory(Goal goal) => goal.Key.Contains("_memory", StringComparison.Ordinal);
}
