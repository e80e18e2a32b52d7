namespace Diffusion.Sample.Tests;

/// <summary>Class-conditional networks, from the configuration to the picture.</summary>
public sealed class LabelCommandTests : IDisposable
{
    private readonly SampleProcess _app = new();

    [Fact]
    public void Train_WithLabels_DrawsByLabelAndGuidance()
    {
        Done(_app.Run("train", "--config", _app.Configure("\"steps\": 3", WithLabels(11))));
        foreach (var arguments in new[] { "--label 3", "--label 3 --guidance 2", "--guidance 2", "" })
        {
            Done(_app.Run(["sample", "--checkpoint", "out", "--count", "5", "--steps", "2", "--out", "drawn", .. arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries)]));
        }

        Done(_app.Run("img2img", "--checkpoint", "out", "--count", "2", "--steps", "2", "--label", "7", "--guidance", "1.5"));
        Wrong(_app.Run("img2img", "--checkpoint", "out", "--count", "2", "--guidance", "1.5"), "--guidance has no use here: without --label");
        Done(_app.Run("train", "--resume", "--out", "out"));
        Wrong(_app.Run("sample", "--checkpoint", "out", "--label", "10"), "--label must be in [0, 9]");
    }

    [Fact]
    public void Train_WrongNumberOfLabels_SaysTheRightOne() =>
        Wrong(_app.Run("train", "--config", _app.Configure("\"steps\": 3", WithLabels(10))), "must be 11", "it is 10");

    [Fact]
    public void Sample_LabelForANetworkWithoutLabels_IsRefused()
    {
        Done(_app.Run("train", "--config", _app.Configure("\"steps\": 1")));
        Wrong(_app.Run("sample", "--checkpoint", "out", "--label", "3"), "--label 3 needs a class-conditional network");
        Wrong(_app.Run("sample", "--checkpoint", "out", "--guidance", "2"), "--guidance 2 needs a class-conditional network");
    }

    public void Dispose() => _app.Dispose();

    private static string WithLabels(int classes) =>
        SampleProcess.Model.Insert(SampleProcess.Model.LastIndexOf('}'), $$""", "dialect": { "labels": { "classes": {{classes}} } } """);

    private static void Done((int ExitCode, string Output, string Error) run) => Assert.True(run.ExitCode == 0, run.Error + run.Output);

    private static void Wrong((int ExitCode, string Output, string Error) run, params string[] parts)
    {
        Assert.Equal(2, run.ExitCode);
        Assert.All(parts, part => Assert.Contains(part, run.Error, StringComparison.Ordinal));
    }
}
