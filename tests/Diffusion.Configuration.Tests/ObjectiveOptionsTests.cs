using Diffusion.Models;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Configuration.Tests;

public sealed class ObjectiveOptionsTests
{
    [Fact]
    public void Create_EveryPart_IsTheObjectiveOfTheCode()
    {
        var options = Parse("""{ "loss": "Huber", "huberDelta": 0.5, "weighting": "min-snr", "gamma": 3, "timesteps": "stratified", "offsetNoise": 0.1, "immiscible": true, "selfConditioning": 0.25, "learnedVariance": 0.01, "conditionDropout": 0.2 }""");
        options = options with { Model = options.Model with { Dialect = new() { Labels = new() { Kind = LabelKind.Table, Classes = 11 } } } };
        Assert.Empty(options.Validate());
        var objective = options.Objective.Create();
        Assert.Equal(("huber", "min-snr", "stratified"), (objective.Loss.Name, objective.Weighting.Name, objective.Timesteps.Name));
        Assert.Equal((0.1, true, 0.25, VariationalTerm.Hybrid(weight: 0.01)), (objective.OffsetNoise, objective.Immiscible, objective.SelfConditioning, objective.Variational));
        var level = new NoiseLevel(0.9, 0.1, 5);
        Assert.Equal(LossWeighting.MinSnr(3).At(level, Parameterization.Epsilon), objective.Weighting.At(level, Parameterization.Epsilon));
        using var scope = NewDisposeScope();
        var (prediction, target) = (zeros(1, 1, 1, 1), full([1, 1, 1, 1], 2f));
        Assert.Equal(0.5 * (2 - 0.25), objective.Loss.Mean(prediction, target).item<float>(), 1e-6);
        Assert.Equal(0.2, objective.ConditionDropout);
    }

    [Fact]
    public void Create_Defaults_AreTheTrainersDefaults() => Assert.Equal(new TrainingObjective(), RunConfiguration.Parse(Json("{ }")).Objective.Create());

    [Theory]
    [InlineData("mse", "uniform", "uniform", null, null)]
    [InlineData("l1", "snr", "stratified", 0.5, null)]
    [InlineData("huber", "min-snr", "logit-normal", null, 0.001)]
    [InlineData("mse", "soft-min-snr", "loss-second-moment", null, null)]
    [InlineData("mse", "p2", "log-normal", 0.5, null)]
    [InlineData("l1", "edm", "log-logistic", null, null)]
    [InlineData("mse", "uniform", "log-uniform", null, null)]
    [InlineData("mse", "uniform", "v-diffusion", null, null)]
    [InlineData("mse", "uniform", "uniform", 0.5, 0.001)]
    public void CreateTrainer_EveryName_TrainsAndSamples(string loss, string weighting, string timesteps, double? selfConditioning, double? learnedVariance)
    {
        var options = RunConfiguration.Parse(Json("{ }")) with
        {
            Objective = new() { Loss = loss, Weighting = weighting, Timesteps = timesteps, SelfConditioning = selfConditioning, LearnedVariance = learnedVariance },
            Training = new() { Steps = 2, BatchSize = 2 },
            Sampling = new() { Steps = 2 },
        };
        Assert.Empty(options.Validate());
        using var network = options.CreateNetwork();
        using var images = new Noise();
        using var trainer = options.CreateTrainer(network, images);
        Assert.All(trainer.Steps(images), step => Assert.True(double.IsFinite(step.Loss) && step.Loss > 0));
        using var drawn = options.CreateSampler().Sample(trainer.Ema, [2, 1, 28, 28], seed: 1);
        Assert.True(drawn.isfinite().all().item<bool>());
        using var raw = options.CreateSampler().Sample(trainer.Denoiser, [2, 1, 28, 28], seed: 1);
        using var again = options.CreateSampler().Sample(options.CreateDenoiser(network), [2, 1, 28, 28], seed: 1);
        TensorAssert.Identical(raw, again, "images");
    }

    [Theory]
    [InlineData("""{ "loss": "l3" }""", "Objective.Loss: must be one of mse, l1, huber; it is 'l3'")]
    [InlineData("""{ "weighting": "more" }""", "Objective.Weighting: must be one of uniform, snr, min-snr, soft-min-snr, p2, edm; it is 'more'")]
    [InlineData("""{ "timesteps": "late" }""", "Objective.Timesteps: must be one of uniform, stratified, logit-normal, loss-second-moment")]
    [InlineData("""{ "huberDelta": 1 }""", "Objective.HuberDelta: is for the loss huber, which is 'mse'")]
    [InlineData("""{ "gamma": 1 }""", "Objective.Gamma: is for the weightings min-snr and soft-min-snr, which is 'uniform'")]
    [InlineData("""{ "selfConditioning": 1.5, "learnedVariance": -1, "offsetNoise": -1, "conditionDropout": 1 }""", "Objective.SelfConditioning: ", "Objective.LearnedVariance: ", "Objective.OffsetNoise: ", "Objective.ConditionDropout: ")]
    public void Validate_Mistakes_AreAllNamed(string objective, params string[] messages)
    {
        var errors = Parse(objective).Validate().Select(error => error.ToString()).ToList();
        Assert.All(messages, message => Assert.Contains(errors, error => error.Contains(message, StringComparison.Ordinal)));
    }

    [Fact]
    public void Validate_DropoutOfLabelsWithoutLabels_IsRefused() => Assert.Contains(
        Parse("""{ "conditionDropout": 0.2 }""").Validate(), error => error.ToString().StartsWith("Objective.ConditionDropout: must be absent", StringComparison.Ordinal));

    [Fact]
    public void Validate_LabelsAndSelfConditioning_GoTogether()
    {
        var options = Parse("""{ "selfConditioning": 0.5 }""");
        options = options with { Model = options.Model with { Dialect = new() { Labels = new() { Kind = LabelKind.Table, Classes = 11 } } } };
        Assert.Empty(options.Validate());
    }

    private static string Json(string objective) => $$"""{ "data": { "path": "mnist" }, "model": { "stemChannels": 8, "down": [ { "channels": 8, "layers": 1 } ], "timeDimension": 16 }, "objective": {{objective}} }""";

    /// <summary>Without the parser's own validation, which would throw.</summary>
    private static RunOptions Parse(string objective) =>
        RunConfiguration.Parse(Json("{ }")) with { Objective = System.Text.Json.JsonSerializer.Deserialize<ObjectiveOptions>(objective, System.Text.Json.JsonSerializerOptions.Web)! };

    private sealed class Noise : IImageSource
    {
        public string Name => "noise";

        public int Count => 8;

        public ImageShape Shape => new(1, 28, 28);

        public int Classes => 0;

        public ImageBatch Read(ReadOnlySpan<int> indices) => new(zeros(indices.Length, 1, 28, 28));

        public void Dispose()
        {
        }
    }
}
