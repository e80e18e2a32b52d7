namespace Diffusion.Tests;

/// <summary>So many whole checkpoints are kept as asked for: one that is damaged is none of them.</summary>
public sealed class CheckpointKeepTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryImages _images = new();

    [Theory]
    [InlineData("bits")]
    [InlineData("missing")]
    [InlineData("longer")]
    [InlineData("manifest")]
    [InlineData("files")]
    public void Fit_NewestDamaged_KeepsTheWholeOneBefore(string damage)
    {
        Train(20, new ListLogger());
        Damage(_folder.At("step-00000020"), damage);
        var log = new ListLogger();
        Train(23, log, every: 50);
        Assert.Equal(["step-00000023", "step-00000020", "step-00000010"], Names()); // 20 is not one of the two
        Assert.Equal([23, 10], Checkpoint.List(_folder.Path).Where(IsWhole).Select(path => Checkpoint.StepOf(path)!.Value).ToList());
        Assert.Contains(log.Lines, line => line.Contains("step-00000020' is not whole and does not count as one of the 2 that are kept", StringComparison.Ordinal));
    }

    /// <summary>Within a run, too: what was whole when it was written may not be any more.</summary>
    [Fact]
    public void Fit_DamagedWhileItTrains_KeepsTwoWholeOnes()
    {
        using var trainer = Trainer(40, new ListLogger(), 10);
        trainer.Fit(_images, new Progress(step =>
        {
            if (step.Number == 29)
            {
                Assert.True(SpinWait.SpinUntil(() => Directory.Exists(_folder.At("step-00000020")), TimeSpan.FromMinutes(2)), "the checkpoint of step 20 was not written");
                Damage(_folder.At("step-00000020"), "bits");
            }
        }));
        Assert.Equal(["step-00000040", "step-00000030"], Names());
        trainer.Dispose();
        Damage(_folder.At("step-00000040"), "bits");
        Train(45, new ListLogger(), every: 50);
        Assert.Equal(["step-00000045", "step-00000040", "step-00000030"], Names());
    }

    [Theory]
    [InlineData(1, new[] { "step-00000033", "step-00000013" })]
    [InlineData(2, new[] { "step-00000033", "step-00000013", "step-00000010" })]
    public void Fit_CheckpointOfALaterStep_StaysAndDoesNotCount(int keep, string[] left)
    {
        using (var first = Trainer(10, new ListLogger(), 5))
        {
            first.Fit(_images);
        }

        using (var trainer = Trainer(13, new ListLogger(), every: 50, keep))
        {
            trainer.Resume();
            CopyAs(33); // which became readable only now
            trainer.Fit(_images);
        }

        Assert.Equal(left, Names());
        Assert.True(IsWhole(_folder.At("step-00000033")));
    }

    [Fact]
    public void Fit_DamagedOne_IsReadAndWarnedOfOnce()
    {
        Train(20, new ListLogger());
        Damage(_folder.At("step-00000010"), "bits");
        var log = new ListLogger();
        Train(26, log, every: 1, keep: 9);
        Assert.Equal([26, 25, 24, 23, 22, 21, 20, 10], Checkpoint.List(_folder.Path).Select(path => Checkpoint.StepOf(path)!.Value));
        Assert.Single(log.Lines, line => line.Contains("does not count as one of the 9", StringComparison.Ordinal));
    }

    /// <summary>What was found is not read again, unless a file of it changed.</summary>
    [Fact]
    public void Damage_ReadBefore_IsKnown()
    {
        Train(20, new ListLogger());
        var (folder, whole) = (_folder.At("step-00000020"), new WholeCheckpoints());
        var model = Path.Combine(folder, Checkpoint.ModelFile);
        var (bytes, time) = (File.ReadAllBytes(model), File.GetLastWriteTimeUtc(model));
        Damage(folder, "bits");
        File.SetLastWriteTimeUtc(model, time);
        Assert.Contains("is damaged", whole.Damage(folder), StringComparison.Ordinal);
        File.WriteAllBytes(model, bytes);
        File.SetLastWriteTimeUtc(model, time);
        Assert.Contains("is damaged", whole.Damage(folder), StringComparison.Ordinal);
        File.SetLastWriteTimeUtc(model, time.AddSeconds(2));
        Assert.Null(whole.Damage(folder));
    }

    [Fact]
    public void Save_CannotBeWritten_NamesTheNewestWholeOne()
    {
        using var trainer = Trainer(20, new ListLogger(), 10);
        trainer.Fit(_images);
        Damage(_folder.At("step-00000020"), "bits");
        trainer.Fit(_images);
        using var snapshot = trainer.Capture();
        var writer = new CheckpointWriter(_folder.Path, new CheckpointOptions { Metadata = new FailingText() }, new WholeCheckpoints(), _ => { });
        Assert.EndsWith("step-00000010 is there still.", Assert.Throws<IOException>(() => writer.Write(snapshot)).Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _images.Dispose();
        _folder.Dispose();
    }

    private static bool IsWhole(string path) => new WholeCheckpoints().Damage(path) is null;

    private static void Damage(string folder, string how)
    {
        var model = Path.Combine(folder, Checkpoint.ModelFile);
        switch (how)
        {
            case "bits":
                var bytes = File.ReadAllBytes(model);
                bytes[^5] ^= 1;
                File.WriteAllBytes(model, bytes);
                break;
            case "missing":
                File.Delete(model);
                break;
            case "longer":
                File.AppendAllText(model, "x");
                break;
            case "manifest":
                File.WriteAllText(Path.Combine(folder, "manifest.json"), "{");
                break;
            default:
                File.WriteAllText(Path.Combine(folder, "manifest.json"), """{"schema":2,"step":20,"seed":0,"batchSize":8,"imageCount":40,"library":"1","files":{}}""");
                break;
        }
    }

    private List<string?> Names() => [.. Checkpoint.List(_folder.Path).Select(Path.GetFileName)];

    /// <summary>Copies the newest checkpoint as one of another step.</summary>
    private void CopyAs(int step)
    {
        var (from, to) = (Checkpoint.List(_folder.Path)[0], _folder.At($"step-{step:D8}"));
        Directory.CreateDirectory(to);
        foreach (var file in Directory.GetFiles(from))
        {
            File.Copy(file, Path.Combine(to, Path.GetFileName(file)));
        }

        var manifest = Path.Combine(to, CheckpointManifest.FileName);
        File.WriteAllText(manifest, (CheckpointManifest.Parse(File.ReadAllText(manifest)) with { Step = step }).ToJson());
    }

    private void Train(int steps, ListLogger log, int every = 10, int keep = 2)
    {
        using var trainer = Trainer(steps, log, every, keep);
        trainer.Resume();
        trainer.Fit(_images);
    }

    private Trainer Trainer(int steps, ListLogger log, int every, int keep = 2) =>
        new(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Steps = steps, BatchSize = 8, Checkpoints = new() { Folder = _folder.Path, Every = every, Keep = keep } }, logger: log);

    private sealed class Progress(Action<TrainingStep> report) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => report(value);
    }

    /// <summary>A disk that is full.</summary>
    private sealed class FailingText : Dictionary<string, string>, IReadOnlyDictionary<string, string>
    {
        IEnumerator<KeyValuePair<string, string>> IEnumerable<KeyValuePair<string, string>>.GetEnumerator() => throw new IOException("No space left on device");
    }
}
