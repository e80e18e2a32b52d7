using System.Diagnostics;

namespace Diffusion.Benchmarks;

/// <summary><c>results</c>: trains the networks of a plan and measures its rows, one after the other; what is done is kept, and the tables of the page are made of it. Run from the root of the repository.</summary>
internal static class ResultsCommand
{
    private const string Folder = "docs/results";
    private const string Page = "docs/results.md";

    /// <returns>0; 1 where a row that was measured again has other figures.</returns>
    public static int Run(Arguments arguments)
    {
        if (arguments.Flag("--quick"))
        {
            arguments.End();
            return Quick();
        }

        var (list, again, images) = (arguments.Flag("--list"), arguments.Flag("--again"), arguments.Number("--images", otherwise: 0));
        var (folder, work, page) = (arguments.Text("--results") ?? Folder, arguments.Text("--work") ?? "out/results", arguments.Text("--page") ?? Page);
        var hours = arguments.Text("--hours") is { } text ? double.TryParse(text, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture, out var number) && number > 0 ? number
            : throw new FormatException($"--hours needs a number above 0; it was given '{text}'.") : double.PositiveInfinity;
        var plan = ResultPlan.Read(arguments.Text("--plan") ?? Path.Combine(folder, "plan.json"));
        var results = new Results(plan, folder, work, images);
        var chosen = results.Choose(arguments.Rest());
        if (list)
        {
            Console.WriteLine(string.Join('\n', chosen.Select(row => $"{row.Name}: {(results.Find(row) is { } done ? $"measured, {done.Machine}" : $"left, some {row.Hours} h")}")));
            return 0;
        }

        if (again)
        {
            return chosen.Select(row => Again(results, row)).ToList().Max();
        }

        var clock = Stopwatch.StartNew();
        var left = chosen.Where(row => results.Find(row) is null).ToList();
        for (var i = 0; i < left.Count && clock.Elapsed.TotalHours < hours; i++)
        {
            Console.WriteLine($"== {left[i].Name}: row {i + 1} of {left.Count}; some {left.Skip(i).Sum(row => row.Hours):0.#} hours are left");
            results.Measure(left[i]).Write(results.PathOf(left[i]));
            AtomicFile.WriteText(page, ResultsReport.Write(File.ReadAllText(page), plan, results.Measured()));
        }

        AtomicFile.WriteText(page, ResultsReport.Write(File.ReadAllText(page), plan, results.Measured()));
        Console.WriteLine($"{results.Measured().Count} of {plan.Rows.Count} rows are measured: {folder}, {page}.");
        return 0;
    }

    /// <summary>The first row that draws, after two steps of training, and the first of given images, in a folder that is deleted: training and measuring run.</summary>
    private static int Quick()
    {
        var work = Directory.CreateTempSubdirectory("results").FullName;
        try
        {
            var plan = ResultPlan.Read(Path.Combine(Folder, "plan.json"));
            string[] figures = ["--figures", "frechet", "--cache", Path.Combine(work, "cache")];
            var drawn = plan.Rows.First(row => row.Run is not null) with { Arguments = ["--sampler", "euler", "--steps", "2", .. figures] };
            var given = plan.Rows.First(row => row.Images is not null) with { Arguments = figures };
            var quick = new ResultPlan([plan.Run(drawn) with { Steps = 2 }], [drawn, given]);
            var results = new Results(quick, work, work, images: 100);
            foreach (var row in quick.Rows)
            {
                results.Measure(row).Write(results.PathOf(row));
                Console.WriteLine($"{row.Name}: {results.Measured()[row.Name].Figure("frechetDistance"):0.0}");
            }

            return 0;
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>Measures a row again, and says whether its figures are the same to the last digit.</summary>
    private static int Again(Results results, PlannedRow row)
    {
        var before = results.Find(row) ?? throw new FormatException($"'{row.Name}' is not measured yet.");
        var differences = before.Differences(results.Measure(row));
        Console.WriteLine(differences.Count == 0 ? $"{row.Name}: the same figures, to the last digit." : $"{row.Name}: other figures than before, {before.Machine}:\n{string.Join('\n', differences)}");
        return differences.Count == 0 ? 0 : 1;
    }
}
