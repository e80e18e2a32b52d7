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

    [Fact]
    public void Save_SameFolderSpelledOtherwise_IsTheRunsOwn()
    {
        using var images = new MemoryImages();
        using var trainer = Trainer(_folder.Path + Path.DirectorySeparatorChar);
        trainer.Fit(images, new Progress(step => trainer.Save(_folder.Path)));
        trainer.Save(Path.Combine(_folder.Path, "x", ".."));
        Assert.Equal(3, Checkpoint.Newest(_folder.Path)!.Manifest.Step);
    }

    [Fact]
    public void DeleteAll_FolderInWhichSomebodyTrains_IsRefused()
    {
        Checkpoint.DeleteAll(_folder.At("absent"));
        using var images = new MemoryImages();
        using var trainer = Trainer();
        Exception? failure = null;
        trainer.Fit(images, new Progress(step => failure = Record.Exception(() => Checkpoint.DeleteAll(_folder.Path))));
        Assert.Contains("in use by process", Assert.IsType<IOException>(failure).Message, StringComparison.Ordinal);
        Assert.NotEmpty(Checkpoint.List(_folder.Path));

        Directory.CreateDirectory(_folder.At("kept"));
        Checkpoint.DeleteAll(_folder.Path);
        Assert.Equal([".lock", "kept"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    /// <summary>Of every kind: of who holds the lock, a checkpoint and the snapshots.</summary>
    [Fact]
    public void Fit_WhatAKilledRunLeft_IsDeleted()
    {
        File.WriteAllText(_folder.At($"..lock-owner.{Guid.NewGuid():N}.tmp"), "process");
        File.WriteAllText(_folder.At(".lock-owner"), "process");
        File.WriteAllText(_folder.At("..mine.tmp"), "not of this");
        Directory.CreateDirectory(_folder.At($".step-00000001.{Guid.NewGuid():N}.tmp/inner"));
        Directory.CreateDirectory(_folder.At($".averages.{Guid.NewGuid():N}.tmp/inner"));
        using var images = new MemoryImages();
        using var trainer = Trainer();
        trainer.Fit(images);
        Assert.Equal(["..mine.tmp", ".lock", "step-00000003"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Resume_KilledWhileACheckpointWasReplaced_FindsTheOldOne()
    {
        using var images = new MemoryImages();
        using (var killed = Trainer())
        {
            killed.Fit(images);
        }

        Directory.Move(Checkpoint.List(_folder.Path)[0], _folder.At($".step-00000003.{Guid.NewGuid():N}.old"));
        using var trainer = Trainer();
        Assert.True(trainer.Resume());
        Assert.Equal(3, trainer.StepsDone);
    }

    private Trainer Trainer(string? folder = null) => new(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 3, BatchSize = 4, Checkpoints = new() { Folder = folder ?? _folder.Path } });

    private sealed class Progress(Action<TrainingStep> report) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => report(value);
    }
}
