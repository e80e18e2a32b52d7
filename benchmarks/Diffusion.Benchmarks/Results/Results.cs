namespace Diffusion.Benchmarks;

/// <summary>The rows of a plan that are measured, a file each, and how one is measured.</summary>
/// <param name="plan">The plan.</param>
/// <param name="folder">The folder of the rows.</param>
/// <param name="work">The folder of the trained networks; it is made where it is not there.</param>
/// <param name="images">The images of each row, instead of the plan's; 0 for the plan's.</param>
internal sealed class Results(ResultPlan plan, string folder, string work, int images)
{
    private const int DefaultImages = 10_000;

    private readonly SampleApp _app = SampleApp.Find();

    /// <summary>The file of a row.</summary>
    public string PathOf(PlannedRow row) => Path.Combine(folder, $"{row.Name}.json");

    /// <summary>The row, where it is measured.</summary>
    public ResultRow? Find(PlannedRow row) => File.Exists(PathOf(row)) ? ResultRow.Read(PathOf(row)) : null;

    /// <summary>All that are measured, by name.</summary>
    public IReadOnlyDictionary<string, ResultRow> Measured() =>
        plan.Rows.Select(row => (row.Name, Row: Find(row))).Where(each => each.Row is not null).ToDictionary(each => each.Name, each => each.Row!);

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
        string[] count = images > 0 || !row.Arguments.Contains("--count") ? ["--count", $"{(images > 0 ? images : DefaultImages)}"] : [];
        string[] arguments = [.. images > 0 ? Without(row.Arguments, "--count") : row.Arguments, .. count, "--out", metrics];
        if (row.Images is { } set)
        {
            var file = Path.Combine(work, $"{set}.safetensors");
            ResultImages.Write(set, int.Parse(arguments[Array.IndexOf(arguments, "--count") + 1], System.Globalization.CultureInfo.InvariantCulture), file);
            _app.Run(["evaluate", "--images", file, .. arguments]);
            return ResultRow.Of(metrics, row, null);
        }

        var run = new TrainedRun(_app, plan.Run(row), work);
        var training = run.Train(plan.Rows.Where(each => each.Run == row.Run).Select(Find).FirstOrDefault(each => each is not null)?.Training?.Steps);
        _app.Run(["evaluate", "--checkpoint", Path.Combine(run.Folder, row.Weights), "--seed", $"{row.Seed}", .. arguments]);
        return ResultRow.Of(metrics, row, training);
    }

    private IReadOnlyList<PlannedRow> Rows(string name)
    {
        IReadOnlyList<PlannedRow> rows = [.. plan.Rows.Where(row => row.Name == name)];
        rows = rows.Count > 0 ? rows : [.. plan.Rows.Where(row => row.Run == name || row.Table == name)];
        return rows.Count > 0 ? rows : throw new FormatException($"No row, run or table of the plan is called '{name}'. Rows: {string.Join(", ", plan.Rows.Select(row => row.Name))}.");
    }

    private static IEnumerable<string> Without(IReadOnlyList<string> arguments, string option)
    {
        var at = arguments.ToList().IndexOf(option);
        return arguments.Where((_, i) => at < 0 || (i != at && i != at + 1));
    }
}
