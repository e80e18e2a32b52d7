using System.Text.Json;
using System.Text.Json.Nodes;

namespace Diffusion.Benchmarks;

/// <summary>A row that was measured: the figures of <c>evaluate</c> with what was trained for them, as its file has them.</summary>
/// <param name="json">The content of the file.</param>
internal sealed class ResultRow(JsonObject json)
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true };

    /// <summary>Steps and time of training; <see langword="null"/> where nothing was trained.</summary>
    public TrainingTime? Training => json["training"] is JsonObject training ? new TrainingTime((int)training["steps"]!, (double?)training["seconds"]) : null;

    /// <summary>The processor, its level and the version, in one line.</summary>
    public string Machine => $"{Setting("processor")}; {Setting("threads")} threads; {Setting("version")}; {Setting("date")}";

    /// <summary>The processor with its level, and the threads: on another one the figures differ in their last digits, and the times altogether.</summary>
    public string Processor => $"{Setting("processor")?.Split(',')[0]}, {Setting("threads")} {(Setting("threads") == "1" ? "thread" : "threads")}";

    /// <summary>How many images were measured.</summary>
    public int Count => (int)json["count"]!;

    /// <summary>The images by class, as the classifier sees them; empty where nothing was classified.</summary>
    public IReadOnlyList<int> Classes => json["classes"] is JsonArray classes ? [.. classes.Select(each => (int)each!["images"]!)] : [];

    /// <summary>The row of a measurement.</summary>
    /// <param name="metrics">The file that <c>evaluate</c> wrote.</param>
    /// <param name="row">The plan of the row.</param>
    /// <param name="weights">The file of weights that drew, of a run.</param>
    /// <param name="training">What was trained.</param>
    public static ResultRow Of(string metrics, PlannedRow row, string? weights, TrainingTime? training)
    {
        var json = new JsonObject { ["row"] = row.Name, ["run"] = row.Run, ["weights"] = weights, ["arguments"] = new JsonArray([.. row.Arguments.Select(each => JsonValue.Create(each))]) };
        json["training"] = training is null ? null : new JsonObject { ["steps"] = training.Steps, ["seconds"] = training.Seconds };
        foreach (var (name, value) in (JsonObject)JsonNode.Parse(File.ReadAllText(metrics))!)
        {
            json[name] = value?.DeepClone();
        }

        return new ResultRow(json);
    }

    /// <summary>The file of a row.</summary>
    public static string PathOf(PlannedRow row, string folder) => Path.Combine(folder, $"{row.Name}.json");

    /// <summary>A row of a folder; <see langword="null"/> where it is not measured.</summary>
    public static ResultRow? Find(PlannedRow row, string folder) => File.Exists(PathOf(row, folder)) ? Read(PathOf(row, folder)) : null;

    /// <summary>The rows of a plan that are measured, by name.</summary>
    public static IReadOnlyDictionary<string, ResultRow> FindAll(ResultPlan plan, string folder) =>
        plan.Rows.Select(row => (row.Name, Row: Find(row, folder))).Where(each => each.Row is not null).ToDictionary(each => each.Name, each => each.Row!);

    /// <summary>Reads a row.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FormatException">It is none.</exception>
    public static ResultRow Read(string path)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(path)) is JsonObject json && json["row"] is not null && json["figures"] is JsonArray ? new ResultRow(json) : throw new FormatException($"{path} is no row of results.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"{path}: {e.Message}", e);
        }
    }

    /// <summary>Writes it, whole or not at all.</summary>
    public void Write(string path) => AtomicFile.WriteText(path, json.ToJsonString(s_json) + "\n");

    /// <summary>The value of a figure; <see langword="null"/> where it was not measured.</summary>
    public double? Figure(string name) => (double?)Entry(name)?["value"];

    /// <summary>How many images a figure is of; <see langword="null"/> where it was not measured.</summary>
    public int? Images(string figure) => (int?)Entry(figure)?["images"];

    /// <summary>A setting of the drawing; <see langword="null"/> where there is none.</summary>
    public string? Setting(string name) => json["settings"]?[name]?.ToString();

    /// <summary>The figures whose value is another one in the other row, to the last digit.</summary>
    public IReadOnlyList<string> Differences(ResultRow other) =>
        [.. ((JsonArray)json["figures"]!).Select(each => (string)each!["name"]!).Where(name => Figure(name) != other.Figure(name)).Select(name => $"{name}: {Figure(name):R} and {other.Figure(name):R}")];

    private JsonNode? Entry(string name) => ((JsonArray)json["figures"]!).FirstOrDefault(each => (string)each!["name"]! == name);
}
