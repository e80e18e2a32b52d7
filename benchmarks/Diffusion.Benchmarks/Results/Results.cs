namespace Diffusion.Benchmarks;

/// <summary>The rows of a plan that are measured, a file each, and how one is measured.</summary>
/// <param name="plan">The plan.</param>
/// <param name="folder">The folder of the rows.</param>
/// <param name="work">The folder of the trained networks; it is made where it is not there.</param>
/// <param name="images">The images of each row, instead of the plan's; 0 for the plan's.</param>
internal sealed class Results(ResultPlan plan, string folder, string work, int images)
{
    private const int DefaultImages = 10_000;
    private const string CountOption = "--count";

    private readonly SampleApp _app = SampleApp.Find();

    /// <summary>The file of a row.</summary>
    public string PathOf(PlannedRow row) => ResultRow.PathOf(row, folder);

    /// <summary>The row, where it is measured.</summary>
    public ResultRow? Find(PlannedRow row) => ResultRow.Find(row, folder);

    /// <summary>All that are measured, by name.</summary>
    public IReadOnlyDictionary<string, ResultRow> Measured() => ResultRow.FindAll(plan, folder);

    /// <summary>The rows of these names in the order of the plan, or of the runs or tables of these names; all without a name.</summary>
    /// <exception cref="FormatException">Nothing has such a name.</exception>
    public IReadOnlyList<PlannedRow> Choose(IReadOnlyList<string> names)
    {
        var chosen = names.SelectMany(Rows).ToHashSet();
        return names.Count == 0 ? plan.Rows : [.. plan.Rows.Where(chosen.Contains)];
    }

    /// <summary>Trains what the row needs, and measures it.</summary>
    public ResultRow Measure(PlannedRow row)
    {
        Directory.CreateDirectory(work);
        var metrics = Path.Combine(work, $"{row.Name}.metrics.json");
        var count = images > 0 ? images : Count(row);
        string[] arguments = [.. Without(row.Arguments, CountOption), "--out", metrics];
        if (row.Images is { } set)
        {
            string[] reference = row.Reference is { } other ? [Given(other, count), "--features", "digits"] : ["mnist"];
            _app.Run(["evaluate", "--images", Given(set, count), .. arguments, "--reference", .. reference]);
            return ResultRow.Of(metrics, row, null, null);
        }

        var (checkpoint, training) = Network(row);
        _app.Run(["evaluate", "--checkpoint", checkpoint, "--seed", $"{row.Seed}", "--count", $"{count}", .. arguments]);
        return ResultRow.Of(metrics, row, plan.Run(row).Model is null ? row.Weights : null, training);
    }

    /// <summary>The weights that draw, which are trained where they are not there yet.</summary>
    private (string Checkpoint, TrainingTime Training) Network(PlannedRow row)
    {
        var planned = plan.Run(row);
        if (planned.Model is { } model)
        {
            return (model, planned.Trained!);
        }

        var run = new TrainedRun(_app, planned, work);
        var training = run.Train(plan.Rows.Where(each => each.Run == row.Run).Select(Find).FirstOrDefault(each => each is not null)?.Training?.Steps);
        return (Path.Combine(run.Folder, row.Weights), training);
    }

    private IReadOnlyList<PlannedRow> Rows(string name)
    {
        IReadOnlyList<PlannedRow> rows = [.. plan.Rows.Where(row => row.Name == name)];
        rows = rows.Count > 0 ? rows : [.. plan.Rows.Where(row => row.Run == name || row.Table == name)];
        return rows.Count > 0 ? rows : throw new FormatException($"No row, run or table of the plan is called '{name}'. Rows: {string.Join(", ", plan.Rows.Select(row => row.Name))}.");
    }

    private string Given(string set, int count)
    {
        var file = Path.Combine(work, $"{set}.safetensors");
        ResultImages.Write(set, count, file);
        return file;
    }

    private static int Count(PlannedRow row)
    {
        var at = row.Arguments.ToList().IndexOf(CountOption);
        return at < 0 ? DefaultImages : int.Parse(row.Arguments[at + 1], System.Globalization.CultureInfo.InvariantCulture);
    }

    private static IEnumerable<string> Without(IReadOnlyList<string> arguments, string option)
    {
        var at = arguments.ToList().IndexOf(option);
        return arguments.Where((_, i) => at < 0 || (i != at && i != at + 1));
    }
}
