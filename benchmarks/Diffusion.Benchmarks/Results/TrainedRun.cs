using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Diffusion.Benchmarks;

/// <summary>A run of the plan in the working folder: trained once, gone on with where it was interrupted.</summary>
internal sealed partial class TrainedRun(SampleApp app, PlannedRun plan, string work)
{
    private static readonly JsonSerializerOptions s_json = new() { WriteIndented = true, PropertyNamingPolicy = JsonNamingPolicy.CamelCase };

    /// <summary>The folder of its results.</summary>
    public string Folder { get; } = Path.Combine(work, plan.Name);

    private string Checkpoints => Path.Combine(Folder, "checkpoints");

    private string TimeFile => Path.Combine(work, $"{plan.Name}.time.json");

    /// <summary>Trains what is not trained yet.</summary>
    /// <param name="steps">The steps that an earlier row of this run was trained for, which count before the plan's.</param>
    public TrainingTime Train(int? steps)
    {
        if (File.Exists(TimeFile))
        {
            var done = JsonSerializer.Deserialize<TrainingTime>(File.ReadAllText(TimeFile), s_json)!;
            return steps is null || steps == done.Steps
                ? done
                : throw new FormatException($"{Folder} is trained for {done.Steps} steps, the row of it for {steps}. Take another folder by --work.");
        }

        var wanted = steps ?? plan.Steps;
        var resumed = Directory.Exists(Checkpoints);
        var lines = app.Run(["train", "--config", Configuration(), "--out", Folder, .. wanted is { } number ? (string[])["--steps", $"{number}"] : [], .. resumed ? (string[])["--resume"] : []]);
        var time = new TrainingTime(Checkpoint.Newest(Checkpoints)!.Step, resumed ? null : Took(lines));
        AtomicFile.WriteText(TimeFile, JsonSerializer.Serialize(time, s_json));
        return time;
    }

    /// <summary>The plan's configuration; one with changes lies in the working folder, and finds the images of the original.</summary>
    private string Configuration()
    {
        var file = plan.Configuration!;
        if (plan.Changes is null)
        {
            return file;
        }

        var whole = (JsonObject)JsonNode.Parse(File.ReadAllText(file), documentOptions: new() { CommentHandling = JsonCommentHandling.Skip })!;
        Merge(whole, plan.Changes);
        var data = whole["data"]!;
        data["path"] = Path.GetFullPath((string)data["path"]!, Path.GetFullPath(Path.GetDirectoryName(file)!));
        var path = Path.Combine(work, $"{plan.Name}.json");
        AtomicFile.WriteText(path, whole.ToJsonString(s_json));
        return path;
    }

    /// <summary>RFC 7396: null removes, objects are merged, anything else takes the place.</summary>
    private static void Merge(JsonObject target, JsonObject changes)
    {
        foreach (var (name, value) in changes)
        {
            if (value is null)
            {
                target.Remove(name);
            }
            else if (value is JsonObject inner && target[name] is JsonObject existing)
            {
                Merge(existing, inner);
            }
            else
            {
                target[name] = value.DeepClone();
            }
        }
    }

    /// <summary>The seconds of the app's last line.</summary>
    private static double Took(IReadOnlyList<string> lines)
    {
        var match = LastLine().Match(string.Join(' ', lines));
        return match.Success
            ? double.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)
            : throw new InvalidOperationException("The app did not say what training took.");
    }

    [GeneratedRegex(@"Training took ([\d.]+) s\s+for")]
    private static partial Regex LastLine();
}
