using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>A program that has set torch's default type, for another model, trains and samples the same bits.</summary>
public sealed class DefaultTypeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryImages _images = new();
    private readonly Tensor _four = Normal.Of(5, 4, 1, 4, 4);
    private int _runs;

    public static TheoryData<string> Samplers() => [.. Sampler.Names];

    public static TheoryData<string> Schedules() => [.. NoiseSchedule.Names];

    public static TheoryData<string> Objectives() => [.. s_objectives.Keys];

    [Theory]
    [MemberData(nameof(Samplers))]
    public void Sample_EverySampler_GivesTheSameBits(string sampler) => DefaultTypes.Agree(() =>
    {
        using var network = new TinyNetwork();
        using var weaker = new TinyNetwork(2);
        Dictionary<string, Tensor> images = [];
        foreach (var parameterization in Parameterization.All)
        {
            var denoiser = new NetworkDenoiser(network, new LinearNoiseSchedule(), parameterization);
            var guided = denoiser.AutoGuided(new NetworkDenoiser(weaker, denoiser.Schedule, parameterization), new GuidanceOptions { Scale = 2.5, Rescale = 0.5, Eta = 0.3, Space = parameterization });
            images[parameterization.Name] = Sampler.Create(sampler, 5).Sample(guided.Limited(ImageLimit.Dynamic()), [2, 1, 4, 4], seed: 7);
        }

        return images;
    });

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Sample_EverySchedule_GivesTheSameBits(string schedule) => DefaultTypes.Agree(() =>
    {
        using var network = new TinyNetwork();
        var denoiser = new NetworkDenoiser(network, NoiseSchedule.Create(schedule)).Limited(ImageLimit.Clip());
        return new()
        {
            ["ddpm"] = Sampler.Create("ddpm", 5).Sample(denoiser, [2, 1, 4, 4], seed: 7),
            ["euler"] = Sampler.Create("euler", 5).Sample(denoiser, [2, 1, 4, 4], seed: 7),
        };
    });

    [Fact]
    public void Tasks_OfEachKind_GiveTheSameBits() => DefaultTypes.Agree(() =>
    {
        using var network = new TinyNetwork();
        using var mask = _four.gt(Scalars.Zero);
        var denoiser = new NetworkDenoiser(network, new LinearNoiseSchedule(30)).Limited(ImageLimit.Clip());
        using var report = VariationalBound.BitsPerDimension(denoiser, _four.clamp(Scalars.MinusOne, Scalars.One), new SeededNoise(3));
        return new()
        {
            ["image to image"] = ImageToImage.Sample(new DdimSampler(5), denoiser, _four, 0.5, seed: 3),
            ["inpainted"] = new InpaintingSampler(new DdimSampler(5), _four, mask, jumpLength: 2, resamples: 2).Sample(denoiser, [4, 1, 4, 4], seed: 3),
            ["reconstructed"] = Reconstruction.Decode(denoiser, Reconstruction.Invert(denoiser, _four, 5), 5),
            ["interpolated"] = LatentInterpolation.Images(denoiser, _four.narrow(0, 0, 1), _four.narrow(0, 1, 1), 3, 5),
            ["bits"] = report.Total.clone(),
        };
    });

    [Theory]
    [MemberData(nameof(Objectives))]
    public void Fit_StoppedAndResumed_EndsWithTheSameBits(string objective) => DefaultTypes.Agree(() => Train(s_objectives[objective]));

    [Fact]
    public void Guided_ByLabelsContextsAndClassifiers_GivesTheSameBits()
    {
        using var labels = new LabelNetwork();
        using var contexts = new ContextNetwork();
        using var none = zeros(1, 2, 3);
        using var some = Normal.Of(6, 4, 2, 3);
        DefaultTypes.Agree(() =>
        {
            var schedule = new LinearNoiseSchedule();
            var labelled = new NetworkDenoiser(labels, schedule, nullCondition: Condition.OfLabels(4));
            var described = new NetworkDenoiser(contexts, schedule, nullCondition: Condition.OfContext(none));
            return new()
            {
                ["labels"] = new DdimSampler(4).Sample(labelled.With(0, 1, 2, 3).Guided(2), [4, 1, 4, 4], seed: 1),
                ["contexts"] = new DdimSampler(4).Sample(described.With(Condition.OfContext(some)).Guided(2), [4, 1, 4, 4], seed: 1),
                ["gradient"] = new DdimSampler(4).Sample(labelled.With(1).ClassifierGuided((noisy, _) => noisy.neg(), 0.5), [4, 1, 4, 4], seed: 1),
            };
        });
    }

    [Fact]
    public void Trainer_LayersOfTorchOfTheDefaultType_NamesIt()
    {
        using var network = new TinyNetwork();
        network.to(ScalarType.Float64);
        var before = get_default_dtype();
        string Message() => Assert.Throws<ArgumentException>(() => new Trainer(network, new LinearNoiseSchedule())).Message;
        Assert.DoesNotContain("default", Message(), StringComparison.Ordinal);
        try
        {
            set_default_dtype(ScalarType.Float64);
            Assert.Contains("'first.weight' is Float64 on cpu, 'first.weight' is on cpu. Float64 is torch's default type here (torch.set_default_dtype)", Message(), StringComparison.Ordinal);
        }
        finally
        {
            set_default_dtype(before);
        }
    }

    public void Dispose()
    {
        _four.Dispose();
        _images.Dispose();
        _folder.Dispose();
    }

    private static readonly Dictionary<string, TrainingObjective> s_objectives = new()
    {
        ["ddpm"] = new(),
        ["everything"] = new() { Loss = LossFunction.Huber(), Weighting = LossWeighting.MinSnr(), Timesteps = TimestepDistribution.LossSecondMoment(), OffsetNoise = 0.1 },
        ["edm"] = new() { Weighting = LossWeighting.Edm(), Timesteps = TimestepDistribution.Edm, Loss = LossFunction.L1 },
        ["immiscible"] = new() { Immiscible = true, Timesteps = TimestepDistribution.LogitNormal() },
        ["stratified"] = new() { Weighting = LossWeighting.P2(), Timesteps = TimestepDistribution.Stratified },
    };

    private Dictionary<string, Tensor> Train(TrainingObjective objective)
    {
        var folder = _folder.At($"run-{_runs++}");
        var options = new TrainerOptions
        {
            Steps = 6, BatchSize = 8, MicroBatchSize = objective.Immiscible ? null : 3, LearningRate = 1e-2, Optimizer = new() { Kind = OptimizerKind.AdamW, WeightDecay = 0.1, DecayMatricesOnly = true, GradientClip = 0.5 },
            Ema = new() { RelativeWidth = 0.1, Others = [new() { RelativeWidth = 0.2 }, new() { HalfLife = 100 }] },
            Checkpoints = new() { Folder = folder, Every = 2, SnapshotEvery = 3 },
        };
        using (var first = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), options, Parameterization.Velocity, objective: objective))
        {
            first.Fit(_images, stopAfter: 4);
        }

        using var network = new TinyNetwork(9);
        using var second = new Trainer(network, new LinearNoiseSchedule(), options, Parameterization.Velocity, objective: objective);
        Assert.True(second.Resume());
        second.Fit(_images);
        var result = Checkpoint.Newest(folder)!.Manifest.Files.Keys.SelectMany(file => Safetensors.Load(Path.Combine(folder, "step-00000006", file)).Select(tensor => (Name: $"{file}: {tensor.Key}", tensor.Value))).ToDictionary(tensor => tensor.Name, tensor => tensor.Value);
        result["held out"] = tensor(second.Evaluate(_images, 20));
        result["drawn"] = new DdimSampler(4).Sample(second.Ema, [2, 1, 4, 4], seed: 2);
        foreach (var (name, weight) in PostHocEma.Open(folder).Reconstruct(0.15))
        {
            result["0.15: " + name] = weight;
        }

        return result;
    }
}
