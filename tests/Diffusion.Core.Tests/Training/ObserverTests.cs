namespace Diffusion.Tests;

public sealed class ObserverTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryImages _images = new();

    [Fact]
    public void Fit_Observer_IsToldOfEverythingInOrder()
    {
        using var trainer = Trainer();
        var observer = new Diary();
        trainer.Observers.Add(observer);
        trainer.Fit(_images);
        Assert.Equal("start 0", observer.Entries[0]);
        Assert.Equal(["step 1", "step 2", "step 3", "step 4", "step 5"], observer.Entries.Where(entry => entry.StartsWith("step", StringComparison.Ordinal)));
        Assert.Equal(["saved 2", "saved 4", "saved 5"], observer.Entries.Where(entry => entry.StartsWith("saved", StringComparison.Ordinal)));
        Assert.Equal("end: complete", observer.Entries[^1]);
    }

    [Fact]
    public void Fit_ObserverFails_SavesTheRunAndTellsTheOthers()
    {
        using var trainer = Trainer();
        var diary = new Diary();
        trainer.Observers.Add(diary);
        trainer.Observers.Add(new Diary { FailAt = 3 });
        Assert.Equal("no more ink", Assert.Throws<NotSupportedException>(() => trainer.Fit(_images)).Message);
        Assert.Equal(3, Checkpoint.Newest(_folder.Path)!.Manifest.Step);
        Assert.Equal("end: no more ink", diary.Entries[^1]);
    }

    [Fact]
    public void Fit_EndFailsAfterAFailure_SaysBoth()
    {
        using var trainer = Trainer();
        trainer.Observers.Add(new Diary { FailAt = 3, FailAtEnd = true });
        var both = Assert.Throws<AggregateException>(() => trainer.Fit(_images));
        Assert.Equal(["no more ink", "no more paper"], both.InnerExceptions.Select(inner => inner.Message));
    }

    [Fact]
    public void Fit_ObserverCannotCopyACheckpoint_SavesTheLastStepAllTheSame()
    {
        using var trainer = Trainer();
        trainer.Observers.Add(new Copier());
        Assert.Equal("no such share", Assert.Throws<IOException>(() => trainer.Fit(_images)).Message.Split(" Then:")[0]);
        Assert.Equal(trainer.StepsDone, Checkpoint.Newest(_folder.Path)!.Manifest.Step);
    }

    [Fact]
    public void Fit_StartOrEndOfAnObserverFails_TellsTheOthersOfTheEnd()
    {
        using var trainer = Trainer();
        var (first, last) = (new Diary(), new Diary());
        trainer.Observers.Add(first);
        trainer.Observers.Add(new Diary { FailAtEnd = true });
        trainer.Observers.Add(last);
        Assert.Equal("no more paper", Assert.Throws<NotSupportedException>(() => trainer.Fit(_images)).Message);
        Assert.Equal("end: complete", first.Entries[^1]);
        Assert.Equal("end: complete", last.Entries[^1]);
    }

    [Fact]
    public void Fit_ObserverSamplesAndEvaluates_TrainsAsWithout()
    {
        using var plain = Trainer();
        plain.Fit(_images);
        using var watched = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), plain.Options with { Checkpoints = new() { Folder = _folder.At("watched"), Every = 2 } });
        watched.Observers.Add(new Painter(_images));
        watched.Fit(_images);
        Assert.Equal(Checkpoint.Newest(_folder.Path)!.Manifest.Files, Checkpoint.Newest(_folder.At("watched"))!.Manifest.Files);
    }

    [Fact]
    public void StepLog_Every_WritesItsLinesAndTheLast()
    {
        var log = new ListLogger();
        using var trainer = Trainer();
        trainer.Observers.Add(new StepLog(log, 2));
        trainer.Fit(_images);
        Assert.Equal(["Step 2 of 5", "Step 4 of 5", "Step 5 of 5"], log.Lines.Where(line => line.Contains(": Step", StringComparison.Ordinal)).Select(line => line.Split(": ")[1]));
        Assert.Equal(3, log.Lines.Count(line => line.Contains("Saved", StringComparison.Ordinal)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new StepLog(log, 0));
    }

    [Fact]
    public void Report_ANumber_ReachesAllObserversWithItsStep()
    {
        var (before, after) = (new Recorder(), new Recorder());
        TinyRun.Train([before, new Recorder { Then = (trainer, step) => trainer.Report("half", step.Number / 2.0) }, after], stopAfter: 2);
        Assert.Equal([new TrainingMeasurement(1, "half", 0.5), new TrainingMeasurement(2, "half", 1)], before.Measurements);
        Assert.Equal(before.Measurements, after.Measurements);
    }

    [Theory]
    [InlineData("")]
    [InlineData("a,b")]
    [InlineData("a\nb")]
    public void Report_NameThatIsNoField_IsRefused(string name)
    {
        using var trainer = new Trainer(new TinyNetwork(), TinyRun.Schedule);
        Assert.Throws<ArgumentException>(() => trainer.Report(name, 1));
    }

    [Fact]
    public void ParameterNorm_OfANetwork_IsThatOfAllItsNumbers()
    {
        using var network = new TinyNetwork();
        using var trainer = new Trainer(network, TinyRun.Schedule);
        var squares = network.parameters().SelectMany(parameter => parameter.Numbers()).Sum(number => number * number);
        Assert.Equal(Math.Sqrt(squares), trainer.ParameterNorm(), 1e-5);
    }

    [Fact]
    public void TrainingPicture_NotAPng_IsRefused()
    {
        Assert.Throws<ArgumentException>(() => new TrainingPicture(1, "preview", "GIF89a and many bytes more than 26"u8.ToArray()));
        Assert.Throws<ArgumentException>(() => new TrainingPicture(1, "preview", Png.Of(3, 2).AsMemory(0, 20)));
    }

    public void Dispose()
    {
        _images.Dispose();
        _folder.Dispose();
    }

    private Trainer Trainer() => new(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 5, BatchSize = 8, Checkpoints = new() { Folder = _folder.Path, Every = 2 } });

    private sealed class Diary : TrainingObserver
    {
        public List<string> Entries { get; } = [];

        public int FailAt { get; init; }

        public bool FailAtEnd { get; init; }

        public override void OnStart(Trainer trainer, IImageSource images) => Entries.Add($"start {trainer.StepsDone}");

        public override void OnStep(Trainer trainer, TrainingStep step)
        {
            Entries.Add($"step {step.Number}");
            if (step.Number == FailAt)
            {
                throw new NotSupportedException("no more ink");
            }
        }

        public override void OnCheckpoint(Trainer trainer, Checkpoint checkpoint) => Entries.Add($"saved {checkpoint.Manifest.Step}");

        public override void OnEnd(Trainer trainer, Exception? failure)
        {
            Entries.Add($"end: {failure?.Message ?? "complete"}");
            if (FailAtEnd)
            {
                throw new NotSupportedException("no more paper");
            }
        }
    }

    private sealed class Copier : TrainingObserver
    {
        public override void OnCheckpoint(Trainer trainer, Checkpoint checkpoint) => throw new IOException("no such share");
    }

    private sealed class Painter(IImageSource images) : TrainingObserver
    {
        public override void OnStep(Trainer trainer, TrainingStep step)
        {
            using var drawn = new DdimSampler(3).Sample(trainer.Ema, [2, 1, 4, 4], seed: step.Number);
            Assert.True(double.IsFinite(trainer.Evaluate(images, 8)));
        }
    }
}
