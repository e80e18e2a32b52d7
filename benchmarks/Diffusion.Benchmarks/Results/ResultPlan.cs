using System.Text.Json;
using System.Text.Json.Serialization;

namespace Diffusion.Benchmarks;

/// <summary>What <c>results</c> measures: networks that are trained, and rows, each a call of the app's command <c>evaluate</c>. Read from a JSON file.</summary>
/// <param name="Runs">The networks that are trained.</param>
/// <param name="Rows">The rows, in the order in which they are measured.</param>
internal sealed record ResultPlan(IReadOnlyList<PlannedRun> Runs, IReadOnlyList<PlannedRow> Rows)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Reads a plan; a row with seeds becomes one for each of them.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FormatException">It is no plan: two have one name, a row's run is missing, or neither a run nor images are named.</exception>
    public static ResultPlan Read(string path)
    {
        ResultPlan plan;
        try
        {
            plan = JsonSerializer.Deserialize<ResultPlan>(File.ReadAllText(path), s_json) ?? throw new JsonException("null is no plan.");
        }
        catch (JsonException e)
        {
            throw new FormatException($"{path}: {e.Message}", e);
        }

        var rows = plan.Rows.SelectMany(row => row.OfSeeds()).ToList();
        return plan.Error(rows) is { } error ? throw new FormatException($"{path}: {error}") : plan with { Rows = rows };
    }

    /// <summary>The run of a row that draws.</summary>
    public PlannedRun Run(PlannedRow row) => Runs.First(run => run.Name == row.Run);

    private string? Error(List<PlannedRow> rows)
    {
        if (Twice(Runs.Select(run => run.Name)) is { } name)
        {
            return $"two runs are named '{name}'.";
        }

        if (Twice(rows.Select(row => row.Name)) is { } named)
        {
            return $"two rows are named '{named}'.";
        }

        foreach (var row in rows)
        {
            if (row.Run is null == row.Images is null)
            {
                return $"row '{row.Name}' needs a run or images, one of them.";
            }

            if (row.Reference is not null && row.Images is null)
            {
                return $"row '{row.Name}' has a reference and no images.";
            }

            if (row.Run is not null && Runs.All(run => run.Name != row.Run))
            {
                return $"row '{row.Name}' is of the run '{row.Run}', which there is not.";
            }
        }

        return Runs.FirstOrDefault(run => run.Configuration is null == run.Model is null) is { } one ? $"run '{one.Name}' needs a configuration or a model, one of them."
            : Runs.FirstOrDefault(run => run.Model is null != run.Trained is null) is { } trained ? $"run '{trained.Name}' needs a model with what training it took ('trained'), or neither."
            : Runs.FirstOrDefault(run => run.Model is not null && (run.Steps is not null || run.Changes is not null)) is { } ready ? $"run '{ready.Name}' is a model, which is not trained: no steps and no changes."
            : null;
    }

    private static string? Twice(IEnumerable<string> names) => names.GroupBy(name => name).FirstOrDefault(group => group.Skip(1).Any())?.Key;
}
