using System.Globalization;
using Diffusion.Configuration;

namespace Diffusion.Benchmarks.Tests;

/// <summary>The plan of <c>results</c>, its rows, and the tables that are made of them; no network is trained here.</summary>
public sealed class ResultsTests
{
    private const string Metrics = """
        {
          "format": 1, "images": "drawn", "count": 2000, "features": "digits",
          "figures": [
            { "name": "frechetDistance", "value": 3.2653712345678 }, { "name": "frechetDistanceExcess", "value": -0.0003 }, { "name": "labelAccuracy", "value": 0.979 }, { "name": "labelAccuracySure", "value": 0.967 },
            { "name": "likelihoodExact", "value": 3.392, "images": 200 }
          ],
          "classes": [ { "name": "0", "images": 190 }, { "name": "1", "images": 211 } ],
          "settings": { "networkCallsPerImage": 18, "processor": "P: level l, kernels", "threads": 2, "version": "1", "date": "2026-11-30" }
        }
        """;

    private const string Plan = """
        {
          "runs": [ { "name": "quick", "title": "quick", "configuration": "quick.json" } ],
          "rows": [
            { "name": "quick-heun", "title": "Heun, 9 steps", "table": "samplers", "run": "quick", "arguments": ["--sampler", "heun", "--steps", "9"], "seeds": [0, 1], "hours": 0.5 },
            { "name": "floor", "title": "training images", "table": "naive", "images": "training", "arguments": [] }
          ]
        }
        """;

    [Fact]
    public void Read_RowOfTwoSeeds_IsTwoRows() => InFolder(folder =>
    {
        var plan = ResultPlan.Read(Text(folder, Plan));

        Assert.Equal(["quick-heun", "quick-heun-seed-1", "floor"], plan.Rows.Select(row => row.Name));
        Assert.Equal([0, 1, 0], plan.Rows.Select(row => row.Seed));
        Assert.Equal("quick.json", plan.Run(plan.Rows[1]).Configuration);
    });

    [Theory]
    [InlineData("\"name\": \"floor\"", "\"name\": \"quick-heun\"", "two rows are named 'quick-heun'")]
    [InlineData("\"run\": \"quick\"", "\"run\": \"slow\"", "'quick-heun' is of the run 'slow'")]
    [InlineData("\"images\": \"training\",", "", "'floor' needs a run or images")]
    [InlineData("\"arguments\": [\"--sampler\"", "\"reference\": \"training\", \"arguments\": [\"--sampler\"", "'quick-heun' has a reference and no images")]
    [InlineData("\"hours\"", "\"days\"", "days")]
    [InlineData("\"configuration\": \"quick.json\"", "\"steps\": 5", "'quick' needs a configuration or a model")]
    [InlineData("\"configuration\": \"quick.json\"", "\"model\": \"models/quick\"", "what training it took")]
    [InlineData("\"configuration\": \"quick.json\"", "\"model\": \"models/quick\", \"trained\": { \"steps\": 5, \"seconds\": 1 }, \"steps\": 5", "no steps and no changes")]
    public void Read_WrongPlan_SaysWhatIsWrong(string right, string wrong, string message) => InFolder(folder =>
    {
        var path = Text(folder, Plan.Replace(right, wrong, StringComparison.Ordinal));

        var error = Assert.Throws<FormatException>(() => ResultPlan.Read(path));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
        Assert.Contains(path, error.Message, StringComparison.Ordinal);
    });

    [Fact]
    public void Row_WrittenAndRead_IsTheSame() => InFolder(folder =>
    {
        var plan = ResultPlan.Read(Text(folder, Plan));
        var row = ResultRow.Of(Text(folder, Metrics, "metrics.json"), plan.Rows[0], null, new TrainingTime(2400, 93.5));
        var path = Path.Combine(folder, "quick-heun.json");
        row.Write(path);
        var read = ResultRow.Read(path);

        Assert.Empty(row.Differences(read));
        Assert.Equal(new TrainingTime(2400, 93.5), read.Training);
        Assert.Equal(3.2653712345678, read.Figure("frechetDistance"));
        Assert.Null(read.Figure("recall"));
    });

    [Fact]
    public void Differences_LastDigitOfOneFigure_NamesIt() => InFolder(folder =>
    {
        var plan = ResultPlan.Read(Text(folder, Plan));
        var row = ResultRow.Of(Text(folder, Metrics, "a.json"), plan.Rows[0], null, null);
        var other = ResultRow.Of(Text(folder, Metrics.Replace("3.2653712345678", "3.2653712345679", StringComparison.Ordinal), "b.json"), plan.Rows[0], null, null);

        Assert.StartsWith("frechetDistance: ", Assert.Single(row.Differences(other)), StringComparison.Ordinal);
    });

    [Fact]
    public void Write_Page_MakesTheTablesAndLeavesTheRest() => InFolder(folder =>
    {
        var plan = ResultPlan.Read(Text(folder, Plan));
        var row = ResultRow.Of(Text(folder, Metrics, "metrics.json"), plan.Rows[0], null, new TrainingTime(2400, 93.5));
        const string Page = "# Results\n<!-- table: samplers -->\n| old |\n<!-- end -->\ntext\n<!-- table: naive -->\n<!-- end -->\n";

        var page = ResultsReport.Write(Page, plan, new Dictionary<string, ResultRow> { ["quick-heun"] = row });
        var lines = page.Split('\n');

        Assert.Equal("| Heun, 9 steps, seed 0 | 2400 steps, 1.6 min | 18 | 2000 | 3.27 | 0.00 |  |  |  |  | 0.979; 0.967 | 190–211 | 3.39 (n = 200) |", lines[4]);
        Assert.StartsWith("| Heun, 9 steps, seed 1 | not run, some 0.5 h |", lines[5], StringComparison.Ordinal);
        Assert.All(lines[2..6], line => Assert.Equal(14, line.Count(sign => sign == '|')));
        Assert.Equal(["", "Measured on P: level l, 2 threads.", "<!-- end -->", "text"], lines[6..10]);
        Assert.DoesNotContain("old", page, StringComparison.Ordinal);
        Assert.Contains("\ntext\n", page, StringComparison.Ordinal);
        Assert.Equal(page, ResultsReport.Write(page, plan, new Dictionary<string, ResultRow> { ["quick-heun"] = row }));
    });

    [Fact]
    public void Write_RowsOfTwoProcessors_NamesBoth() => InFolder(folder =>
    {
        var plan = ResultPlan.Read(Text(folder, Plan));
        var first = ResultRow.Of(Text(folder, Metrics, "a.json"), plan.Rows[0], null, null);
        var second = ResultRow.Of(Text(folder, Metrics.Replace("P: level l", "Q: level m", StringComparison.Ordinal), "b.json"), plan.Rows[1], null, null);

        var page = ResultsReport.Write("<!-- table: samplers -->\n<!-- end -->\n<!-- table: naive -->\n<!-- end -->\n", plan, new Dictionary<string, ResultRow> { ["quick-heun"] = first, ["quick-heun-seed-1"] = second });

        Assert.Contains("Measured on P: level l, 2 threads (1 of the rows); Q: level m, 2 threads (1 of the rows).", page, StringComparison.Ordinal);
    });

    [Theory]
    [InlineData("<!-- table: samplers -->\n<!-- end -->\n", "no table 'naive'")]
    [InlineData("<!-- table: other -->\n<!-- end -->\n", "a table 'other'")]
    [InlineData("<!-- table: samplers -->\n", "does not end")]
    public void Write_PageThatDoesNotFitThePlan_SaysWhy(string page, string message) => InFolder(folder =>
    {
        var plan = ResultPlan.Read(Text(folder, Plan));

        Assert.Contains(message, Assert.Throws<FormatException>(() => ResultsReport.Write(page, plan, new Dictionary<string, ResultRow>())).Message, StringComparison.Ordinal);
    });

    [Theory]
    [InlineData("mnist-quick")]
    [InlineData("mnist-best")]
    [InlineData("textures")]
    [InlineData("mnist-course")]
    public void Page_Parameters_AreThoseOfTheNetwork(string configuration)
    {
        var repository = Path.GetDirectoryName(Path.GetDirectoryName(Golden.Folder))!;
        using var network = RunConfiguration.Load(Path.Combine(repository, "samples", "configs", $"{configuration}.json")).CreateNetwork();
        var expected = string.Create(CultureInfo.InvariantCulture, $"{network.ParameterCount:N0} (`{configuration}.json`)");

        Assert.Contains(expected, File.ReadAllText(Path.Combine(repository, "docs", "results.md")), StringComparison.Ordinal);
    }

    /// <summary>The tables of the page are made of the rows as they are now.</summary>
    [Fact]
    public void Page_OfTheRepository_IsCurrent()
    {
        var repository = Path.GetDirectoryName(Path.GetDirectoryName(Golden.Folder))!;
        var (folder, page) = (Path.Combine(repository, "docs", "results"), File.ReadAllText(Path.Combine(repository, "docs", "results.md")).ReplaceLineEndings("\n"));
        var plan = ResultPlan.Read(Path.Combine(folder, "plan.json"));

        Assert.True(ResultsReport.Write(page, plan, ResultRow.FindAll(plan, folder)) == page, "docs/results.md is not what its rows say: dotnet run -c Release --project benchmarks/Diffusion.Benchmarks -- results floor");
    }

    private static string Text(string folder, string text, string name = "plan.json")
    {
        var path = Path.Combine(folder, name);
        File.WriteAllText(path, text);
        return path;
    }

    private static void InFolder(Action<string> test)
    {
        using var folder = new TemporaryFolder();
        test(folder.Path);
    }
}
