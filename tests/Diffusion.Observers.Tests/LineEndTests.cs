namespace Diffusion.Observers.Tests;

/// <summary>Text that one system writes and another one reads.</summary>
public sealed class LineEndTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Fit_TextFiles_HaveTheSameLineEndsOnEverySystem()
    {
        TinyRun.Train([new CsvLog(_folder.File("losses.csv")), new HtmlReport(_folder.File("report.html"))], _folder.File("checkpoints"));

        var texts = Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories).Where(path => Path.GetExtension(path) is ".csv" or ".html" or ".json").ToArray();
        Assert.Equal(["losses.csv", "manifest.json", "report.html"], texts.Select(path => Path.GetFileName(path)).Distinct().Order(StringComparer.Ordinal));
        Assert.All(texts, path => Assert.DoesNotContain('\r', File.ReadAllText(path)));
    }

    [Fact]
    public void Read_LineEndsOfWindows_GiveTheSame()
    {
        TinyRun.Train([new CsvLog(_folder.File("losses.csv"))], _folder.File("checkpoints"));
        var (steps, checkpoint) = (CsvLog.Read(_folder.File("losses.csv")), Checkpoint.Newest(_folder.File("checkpoints"))!);
        foreach (var path in (string[])[_folder.File("losses.csv"), Path.Combine(checkpoint.Folder, "manifest.json")])
        {
            File.WriteAllText(path, File.ReadAllText(path).ReplaceLineEndings("\r\n"));
        }

        Assert.Equal(steps.Select(Values), CsvLog.Read(_folder.File("losses.csv")).Select(Values));
        Assert.Equal(checkpoint.Manifest.ToJson(), Checkpoint.Open(checkpoint.Folder).Manifest.ToJson());
    }

    private static (int, double, double, string) Values(StepRecord step) => (step.Step, step.Loss, step.GradientNorm, string.Join(' ', step.Quartiles));
}
