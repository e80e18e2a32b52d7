using static TorchSharp.torch;

namespace Diffusion.Benchmarks.Tests;

/// <summary>What the verb <c>quality</c> takes and says.</summary>
public sealed class QualityTests
{
    [Theory]
    [InlineData(1.09, true)]
    [InlineData(1.11, false)]
    [InlineData(0.5, true)]
    public void Passed_OfMeans_AllowsATenth(double fast, bool passed)
    {
        var report = Report([0.9, 1.1], [fast - 0.2, fast + 0.2]);
        Assert.Equal(fast, Assert.Single(report.Ratios), 1e-12);
        Assert.Equal(passed, report.Passed);
    }

    [Fact]
    public void Text_OfAReport_HasMeansSpreadsAndTheFloor()
    {
        var lines = Report([0.5, 0.7], [0.9, 1.0]).ToString().Split('\n');
        Assert.Contains("| ddpm | 1000 | 12.3 | 0.6000 (0.5000–0.7000) | 0.3000 |", lines);
        Assert.Contains("| none: real images | | | 0.0100 | 0.0200 |", lines);
        Assert.Contains(lines, line => line.EndsWith("0.0300.", StringComparison.Ordinal));
        Assert.Contains(lines, line => line.StartsWith("dpm++2m over ddpm: ratio 1.583, allowed 1.1: not as good. The means differ by +0.3500", StringComparison.Ordinal) && line.EndsWith("up to 0.2000: more than between seeds.", StringComparison.Ordinal));
    }

    [Fact]
    public void Passed_OneFormOfTwo_IsEnough()
    {
        var one = Report([1.0, 1.0], [1.3, 1.3]);
        var both = one with { Fast = [.. one.Fast, new("dpm++2m-sde", 20, 1, [0.8, 0.8], [0.3])] };
        Assert.Equal((false, true), (one.Passed, both.Passed));
        Assert.Contains("dpm++2m-sde over ddpm: ratio 0.800, allowed 1.1: as good.", both.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_OfASmallDifference_SaysThatItMayBeChance() =>
        Assert.Contains("no more than between seeds.", Report([0.5, 0.7], [0.6, 0.7]).ToString(), StringComparison.Ordinal);

    [Fact]
    public void Text_OfOneSeed_SaysNothingOfChance() =>
        Assert.Contains("nothing says whether", Report([0.5], [0.9]).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData("quality")]
    [InlineData("quality", "missing.json")]
    [InlineData("quality", "--quick", "--images", "64")]
    [InlineData("quality", "--quick", "--weights", "file")]
    [InlineData("quality", "--quick", "--other")]
    public void Run_WrongArguments_IsTwo(params string[] arguments) => Assert.Equal(2, Verbs.Run(arguments));

    [Fact]
    public void Settings_WithStepsAndImages_HaveThem()
    {
        var settings = QualitySettings.Of(new Arguments([Configuration, "--steps-of-training", "30", "--images", "65", "--seeds", "3"]));
        Assert.Equal((30, 65, 3, false), (settings.Options.Training.StepsFor(1000), settings.Images, settings.Seeds, settings.Quick));
        Assert.Equal((256, 2), QualitySettings.Of(new Arguments([Configuration])) is var plain ? (plain.Images, plain.Seeds) : default);
    }

    [Fact]
    public void Calls_OfASampler_AreItsSteps()
    {
        var settings = QualitySettings.Of(new Arguments(["--quick", "--images", "65"]));
        using var images = settings.Options.Data.Open();
        using var network = QualityNetwork.Train(settings.Options, images);
        var drawing = new QualityDrawing(settings, network, settings.Options with { Sampling = new() { Sampler = "dpm++2m", Steps = 3, Spacing = "log-snr" } });

        using Tensor drawn = drawing.Draw(0), again = drawing.Draw(0), other = drawing.Draw(1);

        Assert.Equal("dpm++2m, 3 steps, log-snr", drawing.Name);
        Assert.Equal(3, drawing.Calls);
        Assert.Equal([65, 1, 28, 28], drawn.shape);
        Assert.True(drawn.equal(again).all().item<bool>());
        Assert.False(drawn.allclose(other));
    }

    private static string Configuration => Path.Combine(Golden.Folder, "..", "..", "samples", "configs", "mnist-quick.json");

    private static QualityReport Report(double[] slow, double[] fast) =>
        new(new("ddpm", 1000, 12.34, slow, [0.3]), [new("dpm++2m", 20, 1, fast, [0.3])], [], (0.01, 0.02), 0.03);
}
