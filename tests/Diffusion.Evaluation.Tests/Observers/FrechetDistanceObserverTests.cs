using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Observers;

public sealed class FrechetDistanceObserverTests : IDisposable
{
    private static readonly Sampler s_sampler = new DdimSampler(3);

    private static readonly FrechetDistanceObserverOptions s_options = new() { Every = 7, Images = 40, BatchSize = 16, Seed = 5 };

    private readonly TemporaryFolder _folder = new();
    private readonly PixelFeatures _features = new();
    private readonly MemoryImages _images = new();

    [Fact]
    public void Fit_WithDistances_TrainsTheSameAndReportsThem()
    {
        var undisturbed = TinyRun.Train([]);
        var recorder = new Recorder();
        using var observer = Observer("best");
        Assert.Equal(undisturbed, TinyRun.Train([recorder, observer]));
        Assert.Equal([7, 14, 21, 28, 30], Distances(recorder).Select(measurement => measurement.Step));
        Assert.All(Distances(recorder), measurement => Assert.True(measurement.Value > 0));
        Assert.Equal([7, 14, 21, 28, 30], recorder.Measurements.Where(each => each.Name == "frechet_distance_bias").Select(each => each.Step));
        var best = Distances(recorder).MinBy(measurement => measurement.Value)!;
        Assert.Equal((best.Step, best.Value), (observer.BestStep, observer.Best!.Value));
        Assert.Equal((40L, 40L), (observer.Best.Images, observer.Best.ReferenceImages));
    }

    [Fact]
    public void OnStep_Distance_IsThatOfTheImagesOfTheAveragedWeights()
    {
        var (recorder, expected) = (new Recorder(), 0.0);
        using var observer = Observer("best", s_options with { Every = 30 });
        var byHand = new Recorder
        {
            Then = (trainer, step) =>
            {
                if (step.Number == TinyRun.Steps)
                {
                    using var drawn = s_sampler.Sample(trainer.Ema.Limited(ImageLimit.Clip()), [40, 1, 4, 4], seed: 5);
                    using var read = _images.Read([.. Enumerable.Range(0, 40)]);
                    using var distance = Statistics(drawn);
                    using var reference = Statistics(read.Images);
                    expected = FrechetDistance.Between(distance, reference).Value;
                }
            },
        };
        TinyRun.Train([recorder, observer, byHand]);
        Assert.Equal(expected, Assert.Single(Distances(recorder)).Value, 1e-6 * expected);
    }

    [Fact]
    public void Fit_StoppedAndResumed_MeasuresTheSameAndKeepsTheSameBest()
    {
        var (whole, parts) = (new Recorder(), new Recorder());
        using (var observer = Observer("whole/best"))
        {
            TinyRun.Train([whole, observer], _folder.File("whole/checkpoints"));
        }

        foreach (var stopAfter in new int?[] { 9, 8, null })
        {
            using var observer = Observer("parts/best");
            TinyRun.Train([parts, observer], _folder.File("parts/checkpoints"), stopAfter);
        }

        Assert.Equal(whole.Measurements, parts.Measurements);
        foreach (var file in new[] { "best.json", "model.safetensors", "ema.safetensors" })
        {
            Assert.Equal(File.ReadAllBytes(_folder.File($"whole/best/{file}")), File.ReadAllBytes(_folder.File($"parts/best/{file}")));
        }
    }

    /// <summary>A cancelled run does not draw on; what it has not measured is measured where it goes on, after the last step, too.</summary>
    [Theory]
    [InlineData(8, 7)] // one call for the shape, three for the reference, three a distance
    [InlineData(17, 28)]
    public void Fit_CancelledWhileItMeasures_EndsAtOnceAndMeasuresItLater(int call, int measured)
    {
        var (whole, parts) = (new Recorder(), new Recorder());
        using (var observer = Observer("whole/best"))
        {
            TinyRun.Train([whole, observer], _folder.File("whole/checkpoints"));
        }

        using var cancellation = new CancellationTokenSource();
        using var features = new CancellingFeatures(_features, cancellation, call);
        using (var observer = new FrechetDistanceObserver(_folder.File("parts/best"), features, _images, s_sampler, s_options))
        {
            Assert.ThrowsAny<OperationCanceledException>(() => TinyRun.Train([parts, observer], _folder.File("parts/checkpoints"), cancellation: cancellation.Token));
        }

        Assert.Equal((call, measured), (features.Calls, parts.Measurements[^1].Step));
        using (var observer = Observer("parts/best"))
        {
            TinyRun.Train([parts, observer], _folder.File("parts/checkpoints"));
        }

        Assert.Equal(whole.Measurements, parts.Measurements);
        Assert.Equal(["best.json", "ema.safetensors", "model.safetensors"], Directory.GetFiles(_folder.File("parts/best")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(File.ReadAllBytes(_folder.File("whole/best/best.json")), File.ReadAllBytes(_folder.File("parts/best/best.json")));
    }

    /// <summary>The reference is measured before the first step, and that ends with the run, too.</summary>
    [Fact]
    public void OnStart_CancelledWhileTheReferenceIsMeasured_EndsAtOnce()
    {
        using var cancellation = new CancellationTokenSource();
        using var features = new CancellingFeatures(_features, cancellation, 2);
        using var observer = new FrechetDistanceObserver(_folder.File("best"), features, _images, s_sampler, s_options);
        var recorder = new Recorder();
        Assert.ThrowsAny<OperationCanceledException>(() => TinyRun.Train([recorder, observer], cancellation: cancellation.Token));
        Assert.Equal((2, 0), (features.Calls, recorder.Steps.Count));
    }

    [Fact]
    public void Fit_ResumedAfterTheBestStep_DoesNotForgetIt()
    {
        var (reference, weights) = BestAt(step: 7);
        using (reference)
        {
            Train(reference, stopAfter: 10);
            Assert.Equal((7, weights), (Train(reference, stopAfter: null).Step, Weights("best")));
            Assert.Contains("\"step\": 7", File.ReadAllText(_folder.File("best/best.json")), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Fit_ResumedFromBeforeTheBestStep_KeepsIt()
    {
        var (reference, weights) = BestAt(step: 28);
        using (reference)
        {
            Train(reference, stopAfter: null);
            Assert.Equal(weights, Weights("best"));
            Directory.Delete(_folder.File("checkpoints/step-00000030"), recursive: true);
            Assert.Equal((28, weights), (Train(reference, stopAfter: 2).Step, Weights("best"))); // step 21 is worse
            Assert.Equal((28, weights), (Train(reference, stopAfter: null).Step, Weights("best")));
        }
    }

    [Fact]
    public void Fit_NewRunInTheFolderOfAnother_ReplacesItsBest()
    {
        var (reference, weights) = BestAt(step: 7);
        using (reference)
        {
            Train(reference, stopAfter: null);
            Directory.Delete(_folder.File("checkpoints"), recursive: true);
            File.WriteAllText(_folder.File("best/best.json"), File.ReadAllText(_folder.File("best/best.json")).Replace("\"step\": 7", "\"step\": 1", StringComparison.Ordinal));
            Assert.Equal((7, weights), (Train(reference, stopAfter: 8).Step, Weights("best")));
        }
    }

    [Fact]
    public void OnStart_FolderMovedAsideByAKilledRun_IsPutBack()
    {
        var (reference, weights) = BestAt(step: 7);
        using (reference)
        {
            Train(reference, stopAfter: 10);
            Directory.Move(_folder.File("best"), _folder.File($".best.{Guid.NewGuid():N}.old"));
            Directory.CreateDirectory(_folder.File($".best.{Guid.NewGuid():N}.tmp"));
            Assert.Equal((7, weights), (Train(reference, stopAfter: null).Step, Weights("best")));
            Assert.Empty(Directory.GetFileSystemEntries(_folder.Path, ".best*"));
        }
    }

    [Fact]
    public void Fit_ResumedWithOtherSettings_IsRefusedBeforeTheFirstStep()
    {
        var (reference, _) = BestAt(step: 7);
        using (reference)
        {
            Train(reference, stopAfter: 10);
            using var other = new FrechetDistanceObserver(_folder.File("best"), new PixelFeatures { Name = "other" }, reference, s_sampler, s_options with { Images = 30 });
            var recorder = new Recorder();
            var message = Assert.Throws<InvalidOperationException>(() => TinyRun.Train([recorder, other], _folder.File("checkpoints"))).Message;
            Assert.All(["best.json", "features: \"pixels\" → \"other\"", "images: 40 → 30"], part => Assert.Contains(part, message, StringComparison.Ordinal));
            Assert.Empty(recorder.Steps);
        }
    }

    /// <summary>Of the same type, with as many steps.</summary>
    [Fact]
    public void Fit_ResumedWithAnotherSampler_IsRefusedBeforeTheFirstStep()
    {
        var (reference, _) = BestAt(step: 7);
        using (reference)
        {
            Train(reference, stopAfter: 10);
            Sampler[] others = [new DdimSampler(3, new() { Eta = 1 }), new DdimSampler(3, new() { Spacing = StepSpacing.Linspace })];
            string[] expected = ["samplerTrace.0: ", "spacing: \"trailing\" → \"linspace\""];
            foreach (var (sampler, part) in others.Zip(expected))
            {
                using var other = new FrechetDistanceObserver(_folder.File("best"), _features, reference, sampler, s_options);
                var recorder = new Recorder();
                Assert.Contains(part, Assert.Throws<InvalidOperationException>(() => TinyRun.Train([recorder, other], _folder.File("checkpoints"))).Message, StringComparison.Ordinal);
                Assert.Empty(recorder.Steps);
            }
        }
    }

    /// <summary>A record of an older version says less, and one of another processor differs by rounding.</summary>
    [Fact]
    public void Fit_ResumedWithARecordThatSaysLess_KeepsTheBest()
    {
        var (reference, weights) = BestAt(step: 7);
        using (reference)
        {
            Train(reference, stopAfter: 10);
            var record = JsonNode.Parse(File.ReadAllText(_folder.File("best/best.json")))!;
            var trace = record["settings"]!["samplerTrace"]!;
            trace[0] = (double)trace[0]! + 1e-4;
            File.WriteAllText(_folder.File("best/best.json"), record.ToJsonString());
            Assert.Equal(7, Train(reference, stopAfter: 1).Step);
            record["settings"]!.AsObject().Remove("samplerTrace");
            record["settings"]!.AsObject().Remove("spacing");
            File.WriteAllText(_folder.File("best/best.json"), record.ToJsonString());
            Assert.Equal((7, weights), (Train(reference, stopAfter: null).Step, Weights("best")));
        }
    }

    [Fact]
    public void Of_SamplerWithALearnedVariance_HasATrace()
    {
        using var nothing = zeros(1);
        var denoiser = new Fixed(nothing);
        var learned = SamplerTrace.Of(new DdpmSampler(10, new() { Variance = ReverseVariance.LearnedRange }), denoiser, [2, 1, 4, 4]);
        Assert.False(SamplerTrace.AreSame(learned, SamplerTrace.Of(new DdpmSampler(10), denoiser, [2, 1, 4, 4])));
    }

    [Theory]
    [InlineData("{ \"step\": 7 ")]
    [InlineData("{ \"step\": 7, \"frechetDistance\": 3 }")]
    [InlineData("null")]
    [InlineData("")]
    public void OnStart_RecordDamaged_SaysWhichFile(string json)
    {
        var (reference, _) = BestAt(step: 7);
        using (reference)
        {
            Train(reference, stopAfter: 10);
            File.WriteAllText(_folder.File("best/best.json"), json);
            Assert.Contains(_folder.File("best/best.json"), Assert.Throws<InvalidDataException>(() => Train(reference, stopAfter: null)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void OnStart_FolderOfOtherThings_IsLeftAlone()
    {
        File.WriteAllText(_folder.File("file"), "");
        Assert.Contains("is a file", Refused<IOException>("file"), StringComparison.Ordinal);
        Directory.CreateDirectory(_folder.File("thesis"));
        File.WriteAllText(_folder.File("thesis/thesis.txt"), "");
        Assert.Contains("no best.json", Refused<IOException>("thesis"), StringComparison.Ordinal);
        Assert.Contains("Choose another folder", Refused<IOException>("file/best"), StringComparison.Ordinal);
        Assert.True(File.Exists(_folder.File("thesis/thesis.txt")));

        string Refused<T>(string folder)
            where T : Exception
        {
            using var observer = Observer(folder);
            return Assert.Throws<T>(() => TinyRun.Train([observer])).Message;
        }
    }

    public void Dispose()
    {
        _images.Dispose();
        _features.Dispose();
        _folder.Dispose();
    }

    private FrechetDistanceObserver Observer(string folder, FrechetDistanceObserverOptions? options = null) => new(_folder.File(folder), _features, _images, s_sampler, options ?? s_options);

    /// <summary>Trains with distances, from the newest checkpoint on.</summary>
    private (int? Step, Recorder Recorder) Train(FeatureStatistics reference, int? stopAfter)
    {
        var recorder = new Recorder();
        using var observer = new FrechetDistanceObserver(_folder.File("best"), _features, reference, s_sampler, s_options);
        TinyRun.Train([recorder, observer], _folder.File("checkpoints"), stopAfter);
        return (observer.BestStep, recorder);
    }

    /// <summary>A reference to which the images of a step are nearest, for they are it, and the hash of the step's averaged weights.</summary>
    private (FeatureStatistics Reference, string Weights) BestAt(int step)
    {
        FeatureStatistics? reference = null;
        TinyRun.Train([new Recorder
        {
            Then = (trainer, done) =>
            {
                if (done.Number == step)
                {
                    trainer.Export(_folder.File("expected"));
                    using var drawn = s_sampler.Sample(trainer.Ema.Limited(ImageLimit.Clip()), [40, 1, 4, 4], seed: 5);
                    reference = Statistics(drawn);
                }
            },
        }]);
        return (reference!, Weights("expected"));
    }

    private sealed class Fixed(Tensor image) : IDenoiser
    {
        public INoiseSchedule Schedule { get; } = NoiseSchedule.Linear();

        public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null) => new(image.expand(noisy.shape).clone());
    }

    private FeatureStatistics Statistics(Tensor images)
    {
        using var bytes = EightBitImages.From(images);
        using var features = _features.Extract(bytes);
        return FeatureStatistics.Of(features, "images");
    }

    private string Weights(string folder) => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(_folder.File($"{folder}/ema.safetensors"))));

    private static IEnumerable<TrainingMeasurement> Distances(Recorder recorder) => recorder.Measurements.Where(measurement => measurement.Name == "frechet_distance");
}
