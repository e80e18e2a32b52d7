using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Observers;

/// <summary>What is found out before the first step, and what networks with labels draw.</summary>
public sealed class FrechetDistanceObserverStartTests : IDisposable
{
    private static readonly FrechetDistanceObserverOptions s_options = new() { Every = 1, Images = 8, BatchSize = 5 };

    private readonly TemporaryFolder _folder = new();
    private readonly PixelFeatures _features = new();
    private readonly MemoryImages _images = new();

    [Fact]
    public void OnStep_ClassConditionalNetwork_DrawsAllClassesInTurnAcrossBatches()
    {
        using var images = new LabelledImages(new MemoryImages());
        _features.First.Clear();
        Start(images, s_options, steps: 1);
        Assert.Equal([0, 128, 255, 0, 128, 255, 0, 128], _features.First.TakeLast(8).Select(grey => grey == 127 ? 128 : grey));
        Start(images, s_options with { Condition = Condition.OfLabels(2) }, steps: 1);
        Assert.All(_features.First.TakeLast(8), grey => Assert.Equal(255, grey));
        Start(images, s_options with { Guidance = 2 }, steps: 1);
        Assert.Equal([0, 64, 255], _features.First.TakeLast(8).Take(3)); // 2·grey − 0.5, clipped
        Start(images, s_options with { Guidance = 2, GuidanceSigmaMin = 1e6 }, steps: 1);
        Assert.Equal([0, 128, 255], _features.First.TakeLast(8).Take(3).Select(grey => grey == 127 ? 128 : grey)); // guidance at no level
    }

    [Fact]
    public void OnStart_ReferenceImages_AreChosenAtRandomAndAlwaysTheSame()
    {
        using var images = new LabelledImages(_images);
        Start(images, s_options with { ReferenceImages = 4 }, steps: 1);
        using var read = images.Read([5, 8, 10, 18]);
        using var bytes = EightBitImages.From(read.Images);
        Assert.Equal(bytes.data<byte>().ToArray().Chunk(16).Select(image => (int)image[0]), _features.First.Skip(1).Take(4)); // one is read before, to see whether it is taken
        Assert.Contains("\"referenceImages\": 4", File.ReadAllText(_folder.File("best/best.json")), StringComparison.Ordinal);
    }

    [Fact]
    public void OnStart_ConditionOrNullConditionMissing_IsRefused()
    {
        using var unlabelled = new LabelledImages(_images) { Classes = 0 };
        Assert.Contains("set Condition", Refused<InvalidOperationException>(unlabelled, s_options, nullLabel: false), StringComparison.Ordinal);
        using var labelled = new LabelledImages(_images);
        Assert.Contains("Distances with guidance need a condition", Refused<InvalidOperationException>(labelled, s_options with { Guidance = 2 }, nullLabel: false), StringComparison.Ordinal);
        using var context = zeros(1, 2, 3);
        Assert.Contains("takes no context", Refused<ArgumentException>(labelled, s_options with { Condition = Condition.OfContext(context) }), StringComparison.Ordinal);
    }

    [Fact]
    public void OnStart_ImagesThatAreNotComparable_AreRefused()
    {
        using var latents = new LabelledImages(_images) { Range = null };
        Assert.Contains("has values of any size, and images in [−1, 1] are needed", Refused<InvalidOperationException>(latents, s_options), StringComparison.Ordinal);
        using var zeroToOne = new LabelledImages(_images) { Range = (0, 1) };
        Assert.Contains("[0, 1]", Refused<InvalidOperationException>(zeroToOne, s_options), StringComparison.Ordinal);
        using var one = new LabelledImages(_images) { Count = 1 };
        using var labelled = new LabelledImages(_images);
        Assert.Contains("at least 2", Refused<InvalidOperationException>(labelled, s_options, reference: one), StringComparison.Ordinal);
        using var large = new LabelledImages(_images) { Shape = new ImageShape(3, 4, 4) };
        Assert.Contains("3×4×4", Refused<InvalidOperationException>(labelled, s_options, reference: large), StringComparison.Ordinal);
    }

    [Fact]
    public void OnStart_SamplerWithMoreStepsThanTheSchedule_IsRefused()
    {
        using var images = new LabelledImages(_images);
        using var trainer = Trainer(2, nullLabel: true);
        using var observer = new FrechetDistanceObserver(_folder.File("best"), _features, images, new DdimSampler(1001), s_options);
        Assert.ThrowsAny<ArgumentException>(() => observer.OnStart(trainer, images));
    }

    [Fact]
    public void Constructor_Mistakes_AreAllListed()
    {
        var message = Assert.Throws<ArgumentException>(() => new FrechetDistanceObserver(
            "best", _features, _images, new DdimSampler(2), new FrechetDistanceObserverOptions { Every = 0, Images = 1, ReferenceImages = 1, BatchSize = 0, Guidance = double.NaN, GuidanceSigmaMin = -1, GuidanceSigmaMax = -2, Condition = Condition.OfLabels(1, 2) })).Message;
        Assert.All(["Every", "Images", "ReferenceImages", "BatchSize", "Guidance", "GuidanceSigmaMin", "GuidanceSigmaMax", "Condition"], name => Assert.Contains(name + ":", message, StringComparison.Ordinal));
        using var reference = new FeatureStatistics(zeros([3], ScalarType.Float64), eye(3, dtype: ScalarType.Float64), 10, "three");
        Assert.Contains("'three' has 3 features, and 'pixels' has 16", Assert.Throws<ArgumentException>(() => new FrechetDistanceObserver("best", _features, reference, new DdimSampler(2), null)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void OnStep_NetworkThatDiverged_ReportsNaNAndKeepsTheBest()
    {
        using var observer = new FrechetDistanceObserver(_folder.File("best"), _features, _images, new DdimSampler(2), s_options);
        TinyRun.Train([observer], stopAfter: 1);
        var (recorder, best) = (new Recorder(), File.ReadAllText(_folder.File("best/best.json")));
        using var network = new TinyNetwork();
        using (no_grad())
        {
            network.parameters().First().fill_(float.NaN);
        }

        using var trainer = new Trainer(network, TinyRun.Schedule, TinyRun.Options);
        trainer.Observers.Add(recorder);
        observer.OnStep(trainer, new TrainingStep(2, double.NaN, 4, 1, default));
        Assert.Equal(double.NaN, Assert.Single(recorder.Measurements).Value);
        Assert.Equal(("frechet_distance", best), (recorder.Measurements[0].Name, File.ReadAllText(_folder.File("best/best.json"))));
    }

    [Fact]
    public void OnStep_ManyDistances_LeaveNoTensors()
    {
        using var images = new LabelledImages(_images);
        using var trainer = Trainer(2, nullLabel: true);
        using var observer = new FrechetDistanceObserver(_folder.File("best"), _features, images, new DdimSampler(2), s_options with { Guidance = 2 });
        observer.OnStart(trainer, images);
        Work();
        var before = LiveTensors.Settled();
        for (var i = 0; i < 20; i++)
        {
            Work();
        }

        Assert.Equal(before, Tensor.TotalCount);

        void Work()
        {
            observer.OnStart(trainer, images);
            observer.OnStep(trainer, new TrainingStep(1, 1, 3, 1, default));
        }
    }

    public void Dispose()
    {
        _images.Dispose();
        _features.Dispose();
        _folder.Dispose();
    }

    private static Trainer Trainer(int steps, bool nullLabel) => new(
        new GreyNetwork(), TinyRun.Schedule, TinyRun.Options with { Steps = steps, LearningRate = 1e-9 }, Parameterization.Image, nullCondition: nullLabel ? Condition.OfLabels(3) : null);

    private void Start(IImageSource images, FrechetDistanceObserverOptions options, int steps, bool nullLabel = true, IImageSource? reference = null)
    {
        using var trainer = Trainer(steps, nullLabel);
        using var observer = new FrechetDistanceObserver(_folder.File("best"), _features, reference ?? images, new DdimSampler(2), options);
        trainer.Observers.Add(observer);
        trainer.Fit(images);
    }

    private string Refused<T>(IImageSource images, FrechetDistanceObserverOptions options, bool nullLabel = true, IImageSource? reference = null)
        where T : Exception => Assert.Throws<T>(() => Start(images, options, steps: 1, nullLabel, reference)).Message;
}
