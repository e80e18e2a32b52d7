using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class TrainerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryImages _images = new();
    private readonly LinearNoiseSchedule _schedule = new();

    [Fact]
    public void Fit_HundredSteps_LearnsAndAverages()
    {
        using var network = new TinyNetwork();
        using var trainer = new Trainer(network, _schedule, Options(300) with { LearningRate = 1e-2 });
        var losses = trainer.Steps(_images).Select(step => step.Loss).ToList();
        Assert.Equal(300, losses.Count);
        Assert.Equal(300, trainer.StepsDone);
        Assert.True(losses[^50..].Average() < 0.6 * losses[..10].Average(), $"{losses[0]} → {losses[^50..].Average()}");
    }

    /// <summary>A snapshot: it changes when the order of images, the noise, the loss or the optimizer changes.</summary>
    [Fact]
    public void Steps_FixedSeed_GivesTheRecordedLosses()
    {
        using var network = new TinyNetwork();
        using var trainer = new Trainer(network, _schedule, Options(50) with { LearningRate = 1e-2 });
        var losses = trainer.Steps(_images).Select(step => step.Loss).ToList();
        var recorded = LossSnapshot.Values;
        Assert.True(
            losses.Count == recorded.Length && losses.Zip(recorded).All(pair => Math.Abs(pair.First - pair.Second) < 1e-5),
            string.Join(", ", losses.Select(loss => loss.ToString("R", System.Globalization.CultureInfo.InvariantCulture))));
    }

    [Theory]
    [InlineData(ImageOrder.Shuffled)]
    [InlineData(ImageOrder.ClassBalanced)]
    public void Steps_ReadAheadAndStoppedInBetween_HaveTheLossesOfReadingWhenNeeded(ImageOrder order)
    {
        List<double> Losses(int prefetch, int together)
        {
            using var network = new TinyNetwork();
            using var images = new DrawnImages([.. Enumerable.Range(0, 10).Select(i => (long)(i / 7))]);
            using var trainer = new Trainer(network, _schedule, Options(30) with { Loader = new LoaderOptions { Prefetch = prefetch, Order = order } });
            var losses = new List<double>();
            while (trainer.StepsDone < 30)
            {
                losses.AddRange(trainer.Steps(images).Take(together).Select(step => step.Loss));
            }

            return losses;
        }

        var direct = Losses(prefetch: 0, together: 30);
        Assert.Equal(direct, Losses(prefetch: 2, together: 30));
        Assert.Equal(direct, Losses(prefetch: 3, together: 7));
    }

    [Fact]
    public void Steps_EachOfThem_SaysHowMuchOfItWasWaiting()
    {
        using var trainer = new Trainer(new TinyNetwork(), _schedule, Options(20) with { Loader = new LoaderOptions { Prefetch = 0 } });
        Assert.All(trainer.Steps(_images), step => Assert.True(step.DataWait > TimeSpan.Zero && step.DataWait < step.Duration, $"{step.DataWait} of {step.Duration}"));
    }

    [Fact]
    public void Steps_Abandoned_LeavesNoBatch()
    {
        using var trainer = new Trainer(new TinyNetwork(), _schedule, Options(1000) with { Loader = new LoaderOptions { Prefetch = 8 } });
        using var images = new DrawnImages();
        Leaks.None(() => Assert.Equal(3, trainer.Steps(images).Take(3).Count()));
    }

    [Fact]
    public void Fit_SourceFails_ThrowsItAfterTheStepsBefore()
    {
        using var images = new DrawnImages { OnRead = number => { if (number == 5) { throw new IOException("a.png has gone"); } } };
        using var trainer = new Trainer(new TinyNetwork(), _schedule, Options(100, _folder.Path));
        Assert.Equal("a.png has gone", Assert.Throws<IOException>(() => trainer.Fit(images)).Message);
        Assert.Equal(5, trainer.StepsDone);
        Assert.Equal(5, Checkpoint.Newest(_folder.Path)!.Manifest.Step);
    }

    [Fact]
    public void Fit_StoppedAndResumed_EndsWithTheSameBits()
    {
        using var whole = new TinyNetwork();
        using var undisturbed = new Trainer(whole, _schedule, Options(60));
        undisturbed.Fit(_images);
        undisturbed.Save(_folder.At("whole"));

        var options = Options(60, _folder.At("parts"));
        using (var first = new Trainer(new TinyNetwork(), _schedule, options))
        {
            Assert.False(first.Resume(_folder.At("parts")));
            first.Fit(_images, stopAfter: 25);
            Assert.Equal(25, first.StepsDone);
        }

        using var network = new TinyNetwork(seed: 99);
        using var second = new Trainer(network, _schedule, options);
        Assert.True(second.Resume(_folder.At("parts")));
        second.Fit(_images);

        var (one, other) = (Checkpoint.Newest(_folder.At("whole"))!, Checkpoint.Newest(_folder.At("parts"))!);
        Assert.Equal(60, other.Manifest.Step);
        Assert.Equal(one.Manifest.Files, other.Manifest.Files); // sizes and hashes of weights, average and optimizer
    }

    [Fact]
    public void Resume_NewestCheckpointDamaged_TakesTheOneBefore()
    {
        using var trainer = new Trainer(new TinyNetwork(), _schedule, Options(30, _folder.Path));
        trainer.Fit(_images);
        Assert.Equal(["step-00000030", "step-00000020"], Checkpoint.List(_folder.Path).Select(Path.GetFileName));
        var file = Path.Combine(Checkpoint.List(_folder.Path)[0], Checkpoint.ModelFile);
        var bytes = File.ReadAllBytes(file);
        bytes[^5] ^= 1;
        File.WriteAllBytes(file, bytes);

        var log = new ListLogger();
        using var resumed = new Trainer(new TinyNetwork(), _schedule, Options(30, _folder.Path), logger: log);
        Assert.True(resumed.Resume(_folder.Path));
        Assert.Equal(20, resumed.StepsDone);
        Assert.Contains(log.Lines, line => line.Contains("damaged", StringComparison.Ordinal) && line.Contains("step-00000030", StringComparison.Ordinal));
    }

    [Fact]
    public void Resume_OtherRun_SaysWhatDiffers()
    {
        using var trainer = new Trainer(new TinyNetwork(), _schedule, Options(10, _folder.Path));
        trainer.Fit(_images);
        using var other = new Trainer(new TinyNetwork(), _schedule, Options(10) with { Seed = 5 });
        var message = Assert.Throws<InvalidDataException>(() => other.Resume(_folder.Path)).Message;
        Assert.Contains("made with seed 3", message, StringComparison.Ordinal);
        Assert.Contains("5", message, StringComparison.Ordinal);

        // Who goes on in spite of it does not write over the other run.
        using var stubborn = new Trainer(new TinyNetwork(), _schedule, Options(30, _folder.Path) with { Seed = 5 });
        Assert.Throws<InvalidDataException>(() => stubborn.Resume());
        var before = Checkpoint.Newest(_folder.Path)!.Manifest.Files;
        Assert.Contains("has checkpoints of a run", Assert.Throws<IOException>(() => stubborn.Fit(_images)).Message, StringComparison.Ordinal);
        Assert.Equal(before, Checkpoint.Newest(_folder.Path)!.Manifest.Files);

        using var fewer = new MemoryImages(10);
        using var resumed = new Trainer(new TinyNetwork(), _schedule, Options(20));
        Assert.True(resumed.Resume(_folder.Path));
        Assert.Contains("40 images", Assert.Throws<InvalidOperationException>(() => resumed.Fit(fewer)).Message, StringComparison.Ordinal);
    }

    /// <summary>The name of a prediction does not say all of it.</summary>
    [Fact]
    public void Resume_PredictionOfOtherNumbers_IsRefused()
    {
        using (var trainer = new Trainer(new TinyNetwork(), _schedule, Options(10, _folder.Path), Parameterization.Karras(0.5)))
        {
            trainer.Fit(_images);
        }

        using var other = new Trainer(new TinyNetwork(), _schedule, Options(20, _folder.Path), Parameterization.Karras(1));
        Assert.Contains("of other numbers", Assert.Throws<InvalidDataException>(() => other.Resume()).Message, StringComparison.Ordinal);
        using var same = new Trainer(new TinyNetwork(), _schedule, Options(20, _folder.Path), Parameterization.Karras(0.5));
        Assert.True(same.Resume());
    }

    [Fact]
    public void Resume_ObjectiveOfOtherNumbers_IsLogged()
    {
        TrainingObjective then = new() { Loss = LossFunction.Huber(1), Weighting = LossWeighting.MinSnr(5), Timesteps = TimestepDistribution.LogitNormal(0, 1) };
        using (var trainer = new Trainer(new TinyNetwork(), _schedule, Options(10, _folder.Path), objective: then))
        {
            trainer.Fit(_images);
        }

        var (same, other) = (new ListLogger(), new ListLogger());
        using (var resumed = new Trainer(new TinyNetwork(), _schedule, Options(10, _folder.Path), objective: then, logger: same))
        {
            resumed.Resume();
        }

        TrainingObjective now = new() { Loss = LossFunction.Huber(0.1), Weighting = LossWeighting.MinSnr(1), Timesteps = TimestepDistribution.LogitNormal(1, 2) };
        using (var resumed = new Trainer(new TinyNetwork(), _schedule, Options(10, _folder.Path), objective: now, logger: other))
        {
            resumed.Resume();
        }

        Assert.DoesNotContain(same.Lines, line => line.Contains("other options", StringComparison.Ordinal));
        Assert.All(["loss: \"huber 1\" → \"huber 0.1\"", "weights: ", "timesteps: \"logit-normal "], part => Assert.Contains(other.Lines, line => line.Contains(part, StringComparison.Ordinal)));
    }

    [Fact]
    public void Evaluate_ImmiscibleNoise_IsThatOfEachImageAlone()
    {
        double Loss(int batchSize)
        {
            using var trainer = new Trainer(new TinyNetwork(), _schedule, Options(5) with { BatchSize = batchSize }, objective: new() { Immiscible = true });
            return trainer.Evaluate(_images, 40, seed: 1);
        }

        Assert.Equal(Loss(8), Loss(40), 1e-6);
    }

    [Fact]
    public void Fit_Cancelled_LeavesACheckpointOfTheLastStep()
    {
        using var cancellation = new CancellationTokenSource();
        using var trainer = new Trainer(new TinyNetwork(), _schedule, Options(100, _folder.Path));
        var observer = new Observer(step =>
        {
            if (step.Number == 13)
            {
                cancellation.Cancel();
            }
        });
        Assert.Throws<OperationCanceledException>(() => trainer.Fit(_images, observer, cancellationToken: cancellation.Token));
        Assert.Equal(13, Checkpoint.Newest(_folder.Path)!.Manifest.Step);
    }

    [Fact]
    public void Ema_Denoise_UsesTheAverageAndPutsTheWeightsBack()
    {
        using var network = new TinyNetwork();
        using var trainer = new Trainer(network, _schedule, Options(20) with { LearningRate = 1e-2 });
        trainer.Fit(_images);
        using var before = Weights.Snapshot(network);
        using var noisy = zeros(2, 1, 4, 4);
        var level = _schedule.LevelAt(500);
        using var trained = trainer.Denoiser.Denoise(noisy, level);
        using var averaged = trainer.Ema.Denoise(noisy, level);
        using var after = Weights.Snapshot(network);
        TensorAssert.Identical(before, after);
        Assert.True((trained - averaged).abs().max().item<float>() > 1e-4);

        trainer.Export(_folder.Path);
        using var ema = Safetensors.Load(_folder.At(Checkpoint.EmaFile));
        using var other = new TinyNetwork(seed: 7);
        Weights.Load(other, ema);
        using var loaded = new NetworkDenoiser(other, _schedule).Denoise(noisy, level);
        TensorAssert.Identical(averaged, loaded, "exported average");
    }

    [Fact]
    public void EmaDecayZero_Average_IsTheWeights()
    {
        using var network = new TinyNetwork();
        using var trainer = new Trainer(network, _schedule, Options(5) with { Ema = new EmaOptions { Decay = 0 } });
        trainer.Fit(_images);
        using var noisy = zeros(2, 1, 4, 4);
        using var trained = trainer.Denoiser.Denoise(noisy, _schedule.LevelAt(10));
        using var averaged = trainer.Ema.Denoise(noisy, _schedule.LevelAt(10));
        TensorAssert.Identical(trained, averaged, "x0");
    }

    [Fact]
    public void Fit_LossNotANumber_StopsBeforeTheUpdate()
    {
        using var network = new TinyNetwork();
        using var trainer = new Trainer(network, _schedule, Options(10));
        using var bad = new FaultyImages(1);
        using var before = Weights.Snapshot(network);
        var message = Assert.Throws<InvalidOperationException>(() => trainer.Fit(bad)).Message;
        Assert.Contains("Step 1 ", message, StringComparison.Ordinal);
        Assert.Contains("learning rate", message, StringComparison.Ordinal);
        using var after = Weights.Snapshot(network);
        TensorAssert.Identical(before, after);
    }

    [Fact]
    public void Fit_WrongBatchShape_NamesTheSource()
    {
        using var trainer = new Trainer(new TinyNetwork(), _schedule, Options(10));
        using var wrong = new MemoryImages { Shape = new ImageShape(3, 8, 8) };
        var message = Assert.Throws<InvalidOperationException>(() => trainer.Fit(wrong)).Message;
        Assert.Contains("'memory' gave a batch of shape [8, 1, 4, 4]; [8, 3, 8, 8] is needed", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Trainer_WrongOptions_ListsEveryMistake()
    {
        var options = new TrainerOptions { Steps = 0, Epochs = 2, BatchSize = -1, LearningRate = double.NaN, Optimizer = new() { Beta1 = 1 }, Ema = new() { Decay = 2 } };
        var message = Assert.Throws<ArgumentException>(() => new Trainer(new TinyNetwork(), _schedule, options)).Message;
        foreach (var path in new[] { "Steps", "Epochs", "BatchSize", "LearningRate", "Optimizer.Beta1", "Ema.Decay" })
        {
            Assert.Contains(path + ": ", message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void StepsFor_Epochs_CountsTheLastStepWhole()
    {
        Assert.Equal(37_500, new TrainerOptions { Epochs = 40 }.StepsFor(60_000));
        Assert.Equal(2, new TrainerOptions { Epochs = 1, BatchSize = 8 }.StepsFor(9));
        Assert.Equal(1000, new TrainerOptions().StepsFor(9));
    }

    [Fact]
    public void Trainer_NothingToTrain_IsRefused()
    {
        using var network = new TinyNetwork();
        foreach (var parameter in network.parameters())
        {
            parameter.requires_grad = false;
        }

        Assert.Contains("nothing to train", Assert.Throws<ArgumentException>(() => new Trainer(network, _schedule)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_NetworkConvertedAfterwards_IsRefused()
    {
        using var network = new TinyNetwork();
        using var trainer = new Trainer(network, _schedule, Options(1));
        network.to(ScalarType.Float64);
        Assert.Contains("moved or replaced", Assert.Throws<InvalidOperationException>(() => trainer.Fit(_images)).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _images.Dispose();
        _folder.Dispose();
    }

    private static TrainerOptions Options(int steps, string? folder = null) => new()
    {
        Steps = steps, BatchSize = 8, LearningRate = 1e-3, Seed = 3, Checkpoints = new() { Folder = folder, Every = 10 },
    };

    private sealed class Observer(Action<TrainingStep> report) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => report(value);
    }
}
