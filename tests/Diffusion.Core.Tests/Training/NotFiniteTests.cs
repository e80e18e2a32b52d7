using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>What happens when a loss or a gradient is not a finite number.</summary>
public sealed class NotFiniteTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Fit_NotANumber_LeavesACheckpointOfTheStepBefore()
    {
        using var network = new TinyNetwork();
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), Options(0));
        using var images = new FaultyImages(8);
        var message = Assert.Throws<InvalidOperationException>(() => trainer.Fit(images)).Message;
        Assert.StartsWith("Step 8 diverged: its loss is Infinity and the norm of its gradients ", message, StringComparison.Ordinal);
        Assert.Contains(", at learning rate 0.001.", message, StringComparison.Ordinal);
        var saved = Checkpoint.Newest(_folder.Path)!;
        Assert.Equal(7, saved.Manifest.Step);
        using var weights = Safetensors.Load(Path.Combine(saved.Folder, Checkpoint.ModelFile));
        Assert.All(weights.Values, tensor => Assert.True(tensor.isfinite().all().item<bool>()));
    }

    [Fact]
    public void Fit_FiniteLossButInfiniteGradient_StopsToo()
    {
        using var network = new SteepNetwork();
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), Options(0));
        using var images = new MemoryImages();
        var message = Assert.Throws<InvalidOperationException>(() => trainer.Fit(images)).Message;
        Assert.Contains("the norm of its gradients Infinity", message, StringComparison.Ordinal);
        Assert.DoesNotContain("its loss is Infinity", message, StringComparison.Ordinal);
        Assert.Equal(0, trainer.StepsDone);
    }

    [Fact]
    public void Fit_StepThatFailed_LeavesNoLossInTheHistory()
    {
        using var network = new SteepNetwork();
        var objective = new TrainingObjective { Timesteps = TimestepDistribution.LossSecondMoment() };
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), Options(0), objective: objective);
        using var images = new MemoryImages();
        Assert.Throws<InvalidOperationException>(() => trainer.Fit(images));
        using var saved = Safetensors.Load(Path.Combine(trainer.Save(_folder.At("saved")).Folder, "optimizer.safetensors"));
        Assert.Equal(0, saved["timestep_counts"].sum().item<long>());
    }

    [Fact]
    public void Fit_SkipsAllowed_LeavesTheWeightsAndGoesOn()
    {
        using var network = new TinyNetwork();
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), Options(2));
        using var images = new FaultyImages(3, 5, 6);
        var (skipped, unchanged) = (new List<int>(), 0);
        using var enumerator = trainer.Steps(images).GetEnumerator();
        using var before = Weights.Snapshot(network);
        while (enumerator.MoveNext())
        {
            using var after = Weights.Snapshot(network);
            var same = before.All(entry => entry.Value.equal(after[entry.Key]).all().item<bool>());
            Assert.Equal(enumerator.Current.Skipped, same);
            unchanged += same ? 1 : 0;
            if (enumerator.Current.Skipped)
            {
                skipped.Add(enumerator.Current.Number);
            }

            foreach (var (name, tensor) in before)
            {
                tensor.copy_(after[name]);
            }
        }

        Assert.Equal([3, 5, 6], skipped);
        Assert.Equal(3, unchanged);
        Assert.Equal(20, trainer.StepsDone);
    }

    /// <summary>The optimizer counts what it does: the first update has the whole learning rate, as Adam's first has, however many steps were skipped before it; also where the run is stopped between.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Fit_FirstStepsSkipped_UpdatesAsTheFirstOne(bool stopped)
    {
        using var network = new TinyNetwork();
        using var before = Weights.Snapshot(network);
        using var images = new FaultyImages(1, 2);
        using (var trainer = new Trainer(network, new LinearNoiseSchedule(), Options(2)))
        {
            trainer.Fit(images, stopAfter: stopped ? 2 : 3);
        }

        if (stopped)
        {
            using var fine = new MemoryImages();
            using var resumed = new Trainer(network, new LinearNoiseSchedule(), Options(2) with { Checkpoints = new() { OtherImages = true } });
            Assert.True(resumed.Resume(_folder.Path));
            resumed.Fit(fine, stopAfter: 1);
        }

        using var after = Weights.Snapshot(network);
        Assert.Equal(1e-3, before.Max(entry => (entry.Value - after[entry.Key]).abs().max().item<float>()), 1e-6);
    }

    [Fact]
    public void Fit_MoreSkipsInARowThanAllowed_StopsAlsoAfterAResume()
    {
        using (var first = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(2)))
        {
            using var images = new FaultyImages(4, 5);
            first.Fit(images, stopAfter: 5);
            Assert.Equal(2, Checkpoint.Newest(_folder.Path)!.Manifest.SkippedInARow);
        }

        using var second = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), Options(2));
        Assert.True(second.Resume(_folder.Path));
        using var bad = new FaultyImages(1);
        Assert.Contains("Step 6 diverged", Assert.Throws<InvalidOperationException>(() => second.Fit(bad)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private TrainerOptions Options(int skips) => new()
    {
        Steps = 20, BatchSize = 8, LearningRate = 1e-3, Optimizer = new() { SkipNotFinite = skips }, Checkpoints = new() { Folder = _folder.Path, Every = 100 },
    };

    /// <summary>Gives 0 with a derivative that no number is large enough for.</summary>
    private sealed class SteepNetwork : nn.Module<Tensor, Tensor, Tensor>
    {
        [ComponentName(Name = "weight")]
        private readonly TorchSharp.Modules.Parameter _weight = new(zeros(1));

        public SteepNetwork()
            : base(nameof(SteepNetwork)) => RegisterComponents();

        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            using var scope = NewDisposeScope();
            return (images + _weight.sqrt()).MoveToOuterDisposeScope();
        }
    }
}
