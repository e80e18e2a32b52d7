using System.Collections;
using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Checkpoints are written beside training, kept as asked for, and what goes wrong with them is said at once and costs nothing.</summary>
public sealed class CheckpointFaultTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryImages _images = new();

    [Fact]
    public void Fit_SlowDisk_TrainsOnWhileACheckpointIsWritten()
    {
        using var disk = new SlowText();
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(15) with { Checkpoints = new() { Folder = _folder.At("run"), Every = 10, Metadata = disk } });
        var steps = new List<int>();
        trainer.Fit(_images, new Progress(step =>
        {
            steps.Add(step.Number);
            if (step.Number == 14)
            {
                Assert.Empty(Checkpoint.List(_folder.At("run"))); // that of step 10 waits for the disk
                disk.Free();
            }
        }));
        Assert.Equal(15, steps[^1]);
        Assert.Equal([15, 10], Checkpoint.List(_folder.At("run")).Select(path => Checkpoint.Open(path).Manifest.Step));
    }

    [Fact]
    public void Fit_CheckpointBesideTraining_IsOfItsStep()
    {
        using var disk = new SlowText();
        using var slow = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(15) with { Checkpoints = new() { Folder = _folder.At("slow"), Every = 10, Metadata = disk } });
        slow.Fit(_images, new Progress(step =>
        {
            if (step.Number == 13)
            {
                disk.Free();
            }
        }));
        using var other = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(15));
        other.Fit(_images, stopAfter: 10);
        other.Save(_folder.At("other"));
        using var expected = Safetensors.Load(_folder.At("other/step-00000010/ema.safetensors"));
        using var actual = Safetensors.Load(_folder.At("slow/step-00000010/ema.safetensors"));
        TensorAssert.Identical(expected, actual);
    }

    [Fact]
    public void Fit_KeepEvery_KeepsThoseBesideTheNewest()
    {
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(50) with { Checkpoints = new() { Folder = _folder.Path, Every = 5, Keep = 2, KeepEvery = 20 } });
        trainer.Fit(_images);
        Assert.Equal([50, 45, 40, 20], Checkpoint.List(_folder.Path).Select(path => Checkpoint.Open(path).Manifest.Step));
    }

    [Fact]
    public void Fit_FolderIsAFile_FailsBeforeTheFirstStep()
    {
        File.WriteAllText(_folder.At("taken"), "");
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(10) with { Checkpoints = new() { Folder = _folder.At("taken") } });
        Assert.Contains("taken", Assert.Throws<IOException>(() => trainer.Fit(_images)).Message, StringComparison.Ordinal);
        Assert.Equal(0, trainer.StepsDone);
    }

    [Fact]
    public void Fit_FolderTakenAwayAtNight_SaysWhatIsLeft()
    {
        var run = _folder.At("run");
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(40) with { Checkpoints = new() { Folder = run, Every = 10 } });
        var failure = Assert.Throws<IOException>(() => trainer.Fit(_images, new Progress(step =>
        {
            if (step.Number == 15)
            {
                SpinWait.SpinUntil(() => Checkpoint.List(run).Count > 0);
                Directory.Move(run, _folder.At("saved"));
                File.WriteAllText(run, "");
            }
        })));
        Assert.Contains("The checkpoint of step 20 cannot be written", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Make room or choose another folder, and resume", failure.Message, StringComparison.Ordinal);
        Assert.Equal(10, Checkpoint.Newest(_folder.At("saved"))!.Manifest.Step);
    }

    [Fact]
    public void Fit_AfterAKill_ClearsAwayWhatWasHalfWritten()
    {
        Directory.CreateDirectory(_folder.At(".step-00000007.0123.tmp"));
        File.WriteAllText(_folder.At(".step-00000007.0123.tmp/model.safetensors"), "half");
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(2));
        trainer.Fit(_images);
        Assert.Equal([".lock", "step-00000002"], Directory.GetFileSystemEntries(_folder.Path).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Fit_NoMemory_SaysWhatToDoAndSaves()
    {
        using var trainer = new Trainer(new HungryNetwork(), new LinearNoiseSchedule(), Options(10));
        var failure = Assert.Throws<InvalidOperationException>(() => trainer.Fit(_images));
        Assert.Contains("Step 4 does not fit into memory: 8 images at once. A smaller MicroBatchSize", failure.Message, StringComparison.Ordinal);
        Assert.Equal(3, Checkpoint.Newest(_folder.Path)!.Manifest.Step);
    }

    [Fact]
    public void Save_Manifest_SaysWhatTheRunWas()
    {
        using var trainer = new Trainer(new TinyNetwork(), new CosineNoiseSchedule(), Options(3) with { LearningRate = 2e-3 }, Parameterization.Velocity);
        trainer.Fit(_images);
        var manifest = Checkpoint.Newest(_folder.Path)!.Manifest;
        Assert.Equal((2, nameof(CosineNoiseSchedule), 1000, Parameterization.Velocity.Name), (manifest.Schema, manifest.Schedule!.Name, manifest.Schedule.Timesteps, manifest.Prediction));
        Assert.Equal(2e-3, manifest.Options!.Value.GetProperty("learningRate").GetDouble());
        Assert.Equal("adam", manifest.Options.Value.GetProperty("optimizer").GetProperty("kind").GetString());
        Assert.Equal(["Diffusion.Core", "TorchSharp", "libtorch", ".NET"], manifest.Versions!.Keys);
        Assert.All(manifest.Versions.Values, version => Assert.Matches(@"^\d+\.", version));
    }

    [Fact]
    public void Resume_OtherOptions_AreLoggedAndOtherSchedulesRefused()
    {
        using (var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(3)))
        {
            trainer.Fit(_images);
        }

        var log = new ListLogger();
        using var faster = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(5) with { LearningRate = 5e-3 }, logger: log);
        Assert.True(faster.Resume(_folder.Path));
        Assert.Equal(
            ["learningRate: 0.001 → 0.005", "steps: 3 → 5"],
            log.Lines.Where(line => line.Contains("other options", StringComparison.Ordinal)).Select(line => line[(line.LastIndexOf("options: ", StringComparison.Ordinal) + 9)..]).Order());

        using var cosine = new Trainer(new TinyNetwork(), new CosineNoiseSchedule(), Options(5));
        Assert.Contains("LinearNoiseSchedule", Assert.Throws<InvalidDataException>(() => cosine.Resume(_folder.Path)).Message, StringComparison.Ordinal);
        using var velocity = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(5), Parameterization.Velocity);
        Assert.Contains("'epsilon'", Assert.Throws<InvalidDataException>(() => velocity.Resume(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Resume_OtherObjectiveOrNetwork_IsLoggedOrRefused()
    {
        using (var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(3)))
        {
            trainer.Fit(_images);
        }

        var log = new ListLogger();
        using var huber = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(3), logger: log, objective: new TrainingObjective { Loss = LossFunction.Huber(), OffsetNoise = 0.1 });
        Assert.True(huber.Resume(_folder.Path));
        Assert.Equal(["loss: \"mse\" → \"huber 1\"", "offsetNoise: \"0\" → \"0.1\""], log.Lines.Where(line => line.Contains("other options", StringComparison.Ordinal)).Select(line => line[(line.LastIndexOf("options: ", StringComparison.Ordinal) + 9)..]).Order());

        using var labelled = new OtherShape();
        using var other = new Trainer(labelled, new LinearNoiseSchedule(), Options(3));
        Assert.Contains("is of another network", Assert.Throws<InvalidDataException>(() => other.Resume(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_FolderOfAnotherRun_IsRefusedBeforeTheFirstStep()
    {
        using (var earlier = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(3)))
        {
            earlier.Fit(_images);
        }

        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(5));
        Assert.Contains("the newest step-00000003. Call Resume", Assert.Throws<IOException>(() => trainer.Fit(_images)).Message, StringComparison.Ordinal);
        Assert.Equal(0, trainer.StepsDone);
        Assert.True(trainer.Resume(_folder.Path));
        trainer.Fit(_images);
        Assert.Equal(5, Checkpoint.Newest(_folder.Path)!.Manifest.Step);
    }

    [Fact]
    public void Save_SameStepAgain_LeavesTheCheckpointThatIsThere()
    {
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(3));
        trainer.Fit(_images);
        var manifest = _folder.At("step-00000003/manifest.json");
        File.AppendAllText(manifest, "\n");
        trainer.Save(_folder.Path);
        Assert.EndsWith("\n", File.ReadAllText(manifest), StringComparison.Ordinal); // not written anew

        File.Delete(_folder.At("step-00000003/model.safetensors"));
        trainer.Save(_folder.Path);
        Assert.Equal(3, Checkpoint.Newest(_folder.Path)!.Manifest.Step);
    }

    [Fact]
    public void Resume_CheckpointOfFormatOne_IsRead()
    {
        using (var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(3)))
        {
            trainer.Fit(_images);
        }

        var path = _folder.At("step-00000003/manifest.json");
        var json = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        json["schema"] = 1;
        foreach (var name in new[] { "skippedInARow", "schedule", "prediction", "options", "objective", "versions" })
        {
            Assert.True(json.Remove(name));
        }

        File.WriteAllText(path, json.ToJsonString());
        using var resumed = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(5));
        Assert.True(resumed.Resume(_folder.Path));
        Assert.Equal(3, resumed.StepsDone);
    }

    public void Dispose()
    {
        _images.Dispose();
        _folder.Dispose();
    }

    private TrainerOptions Options(int steps) => new() { Steps = steps, BatchSize = 8, LearningRate = 1e-3, Checkpoints = new() { Folder = _folder.Path } };

    private sealed class Progress(Action<TrainingStep> report) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => report(value);
    }

    /// <summary>The names of <see cref="TinyNetwork"/>, of other shapes.</summary>
    private sealed class OtherShape : nn.Module<Tensor, Tensor, Tensor>
    {
        [TorchSharp.Utils.ComponentName(Name = "first")]
        private readonly TorchSharp.Modules.Linear _first = nn.Linear(TinyNetwork.Pixels + 1, 30);

        [TorchSharp.Utils.ComponentName(Name = "second")]
        private readonly TorchSharp.Modules.Linear _second = nn.Linear(30, TinyNetwork.Pixels);

        public OtherShape()
            : base(nameof(OtherShape)) => RegisterComponents();

        public override Tensor forward(Tensor images, Tensor timesteps) => _second.call(_first.call(images.flatten(1)));
    }

    /// <summary>Text for a file's header that cannot be read before it is set free.</summary>
    private sealed class SlowText : IReadOnlyDictionary<string, string>, IDisposable
    {
        private readonly ManualResetEventSlim _free = new();
        private readonly Dictionary<string, string> _text = new() { ["key"] = "value" };

        public int Count => Waited().Count;

        public IEnumerable<string> Keys => Waited().Keys;

        public IEnumerable<string> Values => Waited().Values;

        public string this[string key] => Waited()[key];

        public void Free() => _free.Set();

        public bool ContainsKey(string key) => Waited().ContainsKey(key);

        public bool TryGetValue(string key, [System.Diagnostics.CodeAnalysis.MaybeNullWhen(false)] out string value) => Waited().TryGetValue(key, out value);

        public IEnumerator<KeyValuePair<string, string>> GetEnumerator() => Waited().GetEnumerator();

        public void Dispose() => _free.Dispose();

        IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

        private Dictionary<string, string> Waited()
        {
            _free.Wait();
            return _text;
        }
    }

    /// <summary>Wants more memory than there is in its fourth call.</summary>
    private sealed class HungryNetwork : nn.Module<Tensor, Tensor, Tensor>
    {
        [TorchSharp.Utils.ComponentName(Name = "inner")]
        private readonly TinyNetwork _inner = new();
        private int _calls;

        public HungryNetwork()
            : base(nameof(HungryNetwork)) => RegisterComponents();

        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            if (++_calls == 4)
            {
                using var large = empty(1L << 50);
            }

            return _inner.call(images, timesteps);
        }
    }
}
