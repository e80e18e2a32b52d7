namespace Diffusion.Tests;

public sealed class FolderLockTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Take_Taken_SaysByWhom()
    {
        using (FolderLock.Take(_folder.Path))
        {
            var error = Assert.Throws<IOException>(() => FolderLock.Take(_folder.Path)).Message;
            Assert.Contains($"in use by process {Environment.ProcessId} (", error, StringComparison.Ordinal);
            Assert.Matches($" on {Environment.MachineName} since \\d{{4}}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d, which trains into it", error);
        }

        using var again = FolderLock.Take(_folder.Path);
    }

    [Fact]
    public void Fit_FolderInWhichAnotherTrains_FailsBeforeTheFirstStep()
    {
        using var images = new MemoryImages();
        using var one = Trainer();
        using var other = Trainer();
        Exception? failure = null;
        one.Fit(images, new Progress(step =>
        {
            if (step.Number == 2)
            {
                failure = Record.Exception(() => other.Fit(images));
                one.Save(_folder.Path); // its own
            }
        }));
        Assert.Contains($"Checkpoints cannot be written to '{_folder.Path}': it is in use by process {Environment.ProcessId}", Assert.IsType<IOException>(failure).Message, StringComparison.Ordinal);
        Assert.Equal(0, other.StepsDone);
        Assert.True(other.Resume(_folder.Path));
        other.Save(_folder.Path);
    }

    [Fact]
    public void Save_FolderOfAnotherRun_IsRefused()
    {
        using var images = new MemoryImages();
        using var one = Trainer();
        one.Fit(images);
        using var other = Trainer();
        Assert.Contains("has checkpoints of a run, the newest step-00000003", Assert.Throws<IOException>(() => other.Save(_folder.Path)).Message, StringComparison.Ordinal);
        Assert.Equal(3, Checkpoint.Newest(_folder.Path)!.Manifest.Step);
    }

    private Trainer Trainer() => new(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 3, BatchSize = 4, Checkpoints = new() { Folder = _folder.Path } });

    private sealed class Progress(Action<TrainingStep> report) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => report(value);
    }
}
