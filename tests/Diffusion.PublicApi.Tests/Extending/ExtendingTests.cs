using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>The examples of docs/extending.md, used with everything that the library brings.</summary>
public sealed class ExtendingTests
{
    [Fact]
    public void Document_EveryExample_IsTheCompiledFile()
    {
        var repository = Path.GetDirectoryName(Path.GetDirectoryName(Golden.Folder))!;
        var document = File.ReadAllText(Path.Combine(repository, "docs", "extending.md")).ReplaceLineEndings("\n");
        foreach (var name in new[] { nameof(EvenAlphaSchedule), nameof(ScoreParameterization), nameof(MidpointSampler) })
        {
            var code = File.ReadAllText(Path.Combine(repository, "tests", "Diffusion.PublicApi.Tests", "Extending", $"{name}.cs")).ReplaceLineEndings("\n");
            Assert.Contains(code[code.IndexOf("/// <summary>", StringComparison.Ordinal)..].Trim(), document, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("dpm++2m")]
    [InlineData("heun")]
    [InlineData("dpm++2m-sde")]
    public void Sample_ScheduleFromOutside_WorksWithTheSamplersOfTheLibrary(string sampler) =>
        Check(Sampler.Create(sampler, 60, StepSpacing.LogSnr), new EvenAlphaSchedule(500));

    [Theory]
    [InlineData("linear")]
    [InlineData("cosine")]
    [InlineData("flow")]
    public void Sample_SamplerFromOutside_WorksWithTheSchedulesOfTheLibrary(string schedule) =>
        Check(new MidpointSampler(60, new() { Spacing = StepSpacing.LogSnr }), NoiseSchedule.Create(schedule));

    [Fact]
    public void Target_ParameterizationFromOutside_IsTheScore()
    {
        using var scope = NewDisposeScope();
        using var noise = NoiseSource.Seeded(1);
        var (images, epsilon) = (noise.Draw([2, 1, 4, 4], CPU), noise.Draw([2, 1, 4, 4], CPU));
        var level = NoiseSchedule.Linear().LevelAt(300);
        var score = new ScoreParameterization().Target(images, epsilon, [level]);
        TensorAssert.Close(epsilon * (-1 / level.Sigma), score, 1e-5, 1e-5, "score");
        TensorAssert.Close(images, new ScoreParameterization().ToImage(ForwardProcess.AddNoise(images, epsilon, [level]), score, [level]), 1e-5, 1e-5, "image");
    }

    /// <summary>Data N(0, ½²), whose denoiser is known: the sampled pixels must have that deviation.</summary>
    private static void Check(Sampler sampler, INoiseSchedule schedule)
    {
        var denoiser = new FunctionDenoiser(schedule, (noisy, level) =>
            noisy * (level.Alpha * 0.25 / ((level.Alpha * level.Alpha * 0.25) + (level.Sigma * level.Sigma))));
        using var images = sampler.Sample(denoiser, [64, 1, 16, 16], seed: 1);
        using var deviation = images.std();
        Assert.Equal(0.5, deviation.item<float>(), 0.05);
    }
}
