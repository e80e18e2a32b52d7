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

    /// <summary>Guidance in an interval of noise levels: of all, of some, of none.</summary>
    [Fact]
    public void Sample_GuidanceInAnInterval_IsThatOfTheLevelsInIt()
    {
        var config = _app.Configure("\"steps\": 3", WithLabels(11));
        File.WriteAllText(config, File.ReadAllText(config).Replace("\"steps\": 3 },\n  \"watch\"", "\"steps\": 3, \"guidance\": 3, \"guidanceSigmaMin\": 0.5, \"guidanceSigmaMax\": 5 },\n  \"watch\"", StringComparison.Ordinal));
        Done(_app.Run("train", "--config", config));
        var configured = Draw("");
        var everywhere = Draw("--guidance-sigma-min 0 --guidance-sigma-max 1e9");
        var nowhere = Draw("--guidance-sigma-max 1e9 --guidance-sigma-min 1e8");
        Assert.Equal(Draw("--guidance 1"), nowhere);
        Assert.Equal(Draw("--guidance 3 --guidance-sigma-max 5"), configured);
        Assert.Equal(3, new[] { Convert.ToHexString(configured), Convert.ToHexString(everywhere), Convert.ToHexString(nowhere) }.Distinct().Count());
        string[] sample = ["sample", "--checkpoint", "out", "--count", "2"];
        Wrong(_app.Run([.. sample, "--guidance", "1", "--guidance-sigma-min", "1"]), "--guidance-sigma-min has no use here: the scale of guidance is 1");
        Wrong(_app.Run([.. sample, "--guidance-sigma-min", "6"]), "--guidance-sigma-max must be a finite number above --guidance-sigma-min, 6, or absent; it is 5.");
        Wrong(_app.Run([.. sample, "--guidance-sigma-min", "-1"]), "--guidance-sigma-min must be at least 0; it is -1.");
        Wrong(_app.Run("img2img", "--checkpoint", "out", "--count", "2", "--guidance-sigma-max", "6"), "--guidance-sigma-max has no use here: without --label");
        string[] compare = ["compare", "--checkpoint", "out", "--count", "1", "--steps", "2", "--guidance-sigma-max", "5", "--guidances", "1"];
        Done(_app.Run([.. compare, "2"]));
        Wrong(_app.Run(compare), "--guidance-sigma-max has no use here: every scale of guidance is 1");
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

    private byte[] Draw(string options)
    {
        Done(_app.Run(["sample", "--checkpoint", "out", "--label", "3", "--count", "2", "--steps", "5", "--out", "drawn", "--raw", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]));
        return File.ReadAllBytes(_app.At("drawn/samples.safetensors"));
    }

    private static string WithLabels(int classes) =>
        SampleProcess.Model.Insert(SampleProcess.Model.LastIndexOf('}'), $$""", "dialect": { "labels": { "classes": {{classes}} } } """);

    private static void Done((int ExitCode, string Output, string Error) run) => Assert.True(run.ExitCode == 0, run.Error + run.Output);

    private static void Wrong((int ExitCode, string Output, string Error) run, params string[] parts)
    {
        Assert.Equal(2, run.ExitCode);
        Assert.All(parts, part => Assert.Contains(part, run.Error, StringComparison.Ordinal));
    }
}
