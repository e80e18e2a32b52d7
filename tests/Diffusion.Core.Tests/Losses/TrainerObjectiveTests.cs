using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Objectives in the trainer.</summary>
public sealed class TrainerObjectiveTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryImages _images = new();
    private readonly LinearNoiseSchedule _schedule = new(50);

    /// <summary>The loss of a batch as the trainer's first version took it: one draw of timesteps, one of noise, one mean over everything.</summary>
    [Fact]
    public void Mean_DefaultObjective_IsTheMeanSquaredErrorToTheBit()
    {
        using var scope = NewDisposeScope();
        using var network = new TinyNetwork();
        using var batch = _images.Read([0, 1, 2, 3, 4]);
        foreach (var parameterization in Parameterization.All)
        {
            using var one = new Generator(7);
            using var other = new Generator(7);
            var loss = TestLoss.Of(network, _schedule, parameterization, new TrainingObjective());
            var (actual, actualGradients) = WithGradients(network, () => loss.Mean(batch.Images, loss.Draws.Draw(batch.Images.shape, one)));
            var (expected, expectedGradients) = WithGradients(network, () =>
            {
                var timesteps = randint(50, [5], ScalarType.Int64, generator: other);
                var levels = _schedule.LevelsAt(timesteps.data<long>().ToArray());
                var noise = randn([5, 1, 4, 4], generator: other);
                var input = parameterization.ToInput(ForwardProcess.AddNoise(batch.Images, noise, levels), levels);
                return nn.functional.mse_loss(network.call(input, timesteps), parameterization.Target(batch.Images, noise, levels));
            });
            TensorAssert.Identical(expected, actual, parameterization.Name);
            TensorAssert.Identical(expectedGradients, actualGradients);
        }
    }

    [Fact]
    public void Mean_WeightsAndImportance_MultiplyTheLossOfEachImage()
    {
        using var scope = NewDisposeScope();
        using var network = new TinyNetwork();
        using var batch = _images.Read([0, 1, 2]);
        using var generator = new Generator(7);
        var objective = new TrainingObjective { Weighting = LossWeighting.MinSnr() };
        var draw = new TrainingDraw(TimestepDraw.At(_schedule, [3, 20, 49], [0.5, 2, 3]), randn([3, 1, 4, 4], generator: generator));
        var weighed = TestLoss.Of(network, _schedule, Parameterization.Velocity, objective);
        var plain = TestLoss.Of(network, _schedule, Parameterization.Velocity, new TrainingObjective()).PerSample(batch.Images, draw).Numbers();
        var each = plain.Select((loss, i) => loss * LossWeighting.MinSnr().At(draw.Timesteps.Levels[i], Parameterization.Velocity)).ToArray();
        Assert.All(weighed.PerSample(batch.Images, draw).Numbers().Zip(each), pair => Assert.Equal(pair.Second, pair.First, 1e-6));
        Assert.Equal(((each[0] * 0.5) + (each[1] * 2) + (each[2] * 3)) / 3, weighed.Mean(batch.Images, draw).item<float>(), 1e-6);
    }

    [Fact]
    public void Draw_OffsetAndSelfConditioning_ComeFromTheSeed()
    {
        using var scope = NewDisposeScope();
        using var network = new TinyNetwork();
        var objective = new TrainingObjective { OffsetNoise = 0.1, SelfConditioning = 0.3 };
        var loss = TestLoss.Of(network, _schedule, Parameterization.Epsilon, objective);
        var seen = 0;
        for (var seed = 0UL; seed < 1000; seed++)
        {
            using var one = new Generator(seed);
            using var other = new Generator(seed);
            var (draw, again) = (loss.Draws.Draw([2, 3, 4, 4], one), loss.Draws.Draw([2, 3, 4, 4], other));
            Assert.Equal([2, 3], draw.Offset!.shape);
            TensorAssert.Identical(draw.Offset, again.Offset!, "offset");
            TensorAssert.Identical(draw.Noise, again.Noise, "noise");
            Assert.Equal(draw.SelfConditioned, again.SelfConditioned);
            seen += draw.SelfConditioned ? 1 : 0;
        }

        Assert.InRange(seen, 250, 350);
    }

    [Fact]
    public void Fit_ManyObjectives_LearnAndRepeatToTheBit()
    {
        foreach (var objective in new TrainingObjective[]
        {
            new() { Loss = LossFunction.Huber(0.5), Weighting = LossWeighting.MinSnr() },
            new() { Loss = LossFunction.L1, Timesteps = TimestepDistribution.Stratified, OffsetNoise = 0.1 },
            new() { Timesteps = TimestepDistribution.LogitNormal(), Immiscible = true },
            new() { Timesteps = TimestepDistribution.Edm, Weighting = LossWeighting.SoftMinSnr() },
            new() { Timesteps = TimestepDistribution.LossSecondMoment(losses: 1) },
        })
        {
            var (first, second) = (Losses(objective), Losses(objective));
            Assert.Equal(first, second);
            Assert.True(first[^30..].Average() < 0.9 * first[..30].Average(), $"{objective}: {first[..30].Average()} → {first[^30..].Average()}");
        }
    }

    [Fact]
    public void Fit_ZeroTerminalSignal_IsFinite()
    {
        var schedule = new ZeroTerminalSnrSchedule(new LinearNoiseSchedule(8, 0.05, 0.5));
        foreach (var weighting in new[] { LossWeighting.Uniform, LossWeighting.Snr, LossWeighting.MinSnr(), LossWeighting.SoftMinSnr(), LossWeighting.P2(), LossWeighting.Edm() })
        {
            using var trainer = new Trainer(new TinyNetwork(), schedule, Options(20), Parameterization.Velocity, objective: new() { Weighting = weighting });
            trainer.Fit(_images);
            Assert.Equal(20, trainer.StepsDone);
        }
    }

    [Fact]
    public void Steps_EveryPartAtOnce_LeaveNoTensors()
    {
        var objective = new TrainingObjective
        {
            Loss = LossFunction.Huber(), Weighting = LossWeighting.P2(), Timesteps = TimestepDistribution.LossSecondMoment(losses: 1), OffsetNoise = 0.1,
            Immiscible = true, SelfConditioning = 0.5, Variational = VariationalTerm.Hybrid(),
        };
        using var network = new WideNetwork(2, 2);
        using var trainer = new Trainer(network, _schedule, Options(60), objective: objective);
        Take(30);
        var before = LiveTensors.Settled();
        Take(30);
        Assert.Equal(before, Tensor.TotalCount);
        using var images = _images.Read([0, 1]);
        using var noise = new SeededNoise(1);
        before = Tensor.TotalCount;
        using (VariationalBound.BitsPerDimension(trainer.Ema, images.Images, noise, ReverseVariance.LearnedRange))
        {
        }

        Assert.Equal(before, Tensor.TotalCount);

        // An enumeration that ends frees what it read ahead.
        void Take(int count) => Assert.Equal(count, trainer.Steps(_images).Take(count).Count(step => double.IsFinite(step.Loss)));
    }

    [Fact]
    public void Fit_StoppedAndResumedWithAHistory_EndsWithTheSameBits()
    {
        // A batch of 8 and 5 timesteps: the history is full, and decides, after some steps.
        var objective = new TrainingObjective { Timesteps = TimestepDistribution.LossSecondMoment(losses: 2) };
        var schedule = new LinearNoiseSchedule(5, 0.05, 0.5);
        using var undisturbed = new Trainer(new TinyNetwork(), schedule, Options(40), objective: objective);
        undisturbed.Fit(_images);
        undisturbed.Save(_folder.At("whole"));
        using (var first = new Trainer(new TinyNetwork(), schedule, Options(40, _folder.At("parts")), objective: objective))
        {
            first.Fit(_images, stopAfter: 15);
        }

        using var second = new Trainer(new TinyNetwork(seed: 9), schedule, Options(40, _folder.At("parts")), objective: objective);
        Assert.True(second.Resume(_folder.At("parts")));
        second.Fit(_images);
        Assert.Equal(Checkpoint.Newest(_folder.At("whole"))!.Manifest.Files, Checkpoint.Newest(_folder.At("parts"))!.Manifest.Files);
    }

    [Fact]
    public void Resume_OtherObjective_SaysWhatIsMissing()
    {
        using var plain = new Trainer(new TinyNetwork(), _schedule, Options(10, _folder.Path));
        plain.Fit(_images);
        var objective = new TrainingObjective { Timesteps = TimestepDistribution.LossSecondMoment() };
        using var other = new Trainer(new TinyNetwork(), _schedule, Options(20), objective: objective);
        Assert.Contains("timestep_losses", Assert.Throws<InvalidDataException>(() => other.Resume(_folder.Path)).Message, StringComparison.Ordinal);

        using var kept = new Trainer(new TinyNetwork(), _schedule, Options(10, _folder.At("history")), objective: objective);
        kept.Fit(_images);
        using var longer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(60), Options(20), objective: objective);
        Assert.Contains("LinearNoiseSchedule, 50 timesteps, and the prediction 'epsilon'; the trainer has LinearNoiseSchedule, 60 timesteps", Assert.Throws<InvalidDataException>(() => longer.Resume(_folder.At("history"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_HybridObjective_TrainsTheVariance()
    {
        using var network = new WideNetwork(1, 2);
        using var before = Weights.Snapshot(network);
        using var trainer = new Trainer(network, _schedule, Options(60) with { LearningRate = 1e-2 }, objective: new() { Variational = VariationalTerm.Hybrid() });
        trainer.Fit(_images);
        using var after = Weights.Snapshot(network);
        using var change = (after["bias"] - before["bias"]).abs();
        Assert.All(change.Numbers(), value => Assert.True(value > 1e-3));
        using var report = VariationalBound.BitsPerDimension(trainer.Ema, _images.Read([0, 1]).Images, new SeededNoise(1), ReverseVariance.LearnedRange);
        Assert.All(report.Total.Numbers(), bits => Assert.InRange(bits, 0, 100));
    }

    [Fact]
    public void Fit_SelfConditioning_TrainsAndSamples()
    {
        using var network = new WideNetwork(2, 1);
        using var trainer = new Trainer(network, _schedule, Options(20), objective: new() { SelfConditioning = 0.5 });
        trainer.Fit(_images);
        using var noisy = ones(2, 1, 4, 4);
        using var image = trainer.Denoiser.Denoise(noisy, _schedule.LevelAt(30));
        using var alone = new NetworkDenoiser(new Beside(network, zeros(2, 1, 4, 4)), _schedule).Denoise(noisy, _schedule.LevelAt(30));
        TensorAssert.Identical(alone, image, "x0 beside zeros");
        using var beside = new NetworkDenoiser(new Beside(network, alone), _schedule).Denoise(noisy, _schedule.LevelAt(30));
        using var again = trainer.Denoiser.Predict(noisy, _schedule.LevelAt(30), estimate: image);
        TensorAssert.Identical(beside, again.Image, "x0 beside its own estimate");
        using var samples = new DdpmSampler(10).Sample(trainer.Ema, [2, 1, 4, 4], seed: 1);
        Assert.Equal([2, 1, 4, 4], samples.shape);
    }

    [Fact]
    public void Trainer_WrongObjective_SaysWhatIsNeeded()
    {
        var wrong = new TrainingObjective { OffsetNoise = -1, SelfConditioning = 2 };
        var message = Assert.Throws<ArgumentException>(() => new Trainer(new TinyNetwork(), _schedule, objective: wrong)).Message;
        Assert.Contains("OffsetNoise: must be at least 0; it is -1.", message, StringComparison.Ordinal);
        Assert.Contains("SelfConditioning: must be in [0, 1]; it is 2.", message, StringComparison.Ordinal);
        Assert.Contains("must be Learned or LearnedRange; it is FixedSmall", Assert.Throws<ArgumentException>(() => VariationalTerm.Hybrid(ReverseVariance.FixedSmall)).Message, StringComparison.Ordinal);
        Assert.Equal("weight", Assert.Throws<ArgumentOutOfRangeException>(() => VariationalTerm.Whole(weight: 0)).ParamName);

        Assert.Contains("no variational term", Failure(new WideNetwork(1, 2), new()), StringComparison.Ordinal);
        Assert.Contains("twice the channels", Failure(new WideNetwork(1, 1), new() { Variational = VariationalTerm.Hybrid() }), StringComparison.Ordinal);
        Assert.Contains("'log-normal' draws levels between", Failure(new WideNetwork(1, 2), new() { Variational = VariationalTerm.Hybrid(), Timesteps = TimestepDistribution.Edm }), StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_ScheduleWithLabels_GivesTheNetworkTheLabels()
    {
        var schedule = SigmaNoiseSchedule.Karras(50);
        using var network = new Listener();
        using var trainer = new Trainer(network, schedule, Options(5), Parameterization.Karras());
        trainer.Fit(_images);
        var labels = Enumerable.Range(0, 50).Select(t => (float)schedule.LevelAt(t).Timestep).ToHashSet();
        Assert.Equal(40, network.Heard.Count);
        Assert.All(network.Heard, label => Assert.Contains(label, labels));
    }

    public void Dispose()
    {
        _images.Dispose();
        _folder.Dispose();
    }

    private string Failure(nn.Module<Tensor, Tensor, Tensor> network, TrainingObjective objective)
    {
        using var trainer = new Trainer(network, _schedule, Options(1), objective: objective);
        return Assert.Throws<InvalidOperationException>(() => trainer.Fit(_images)).Message;
    }

    private List<double> Losses(TrainingObjective objective)
    {
        using var trainer = new Trainer(new TinyNetwork(), _schedule, Options(150) with { LearningRate = 1e-2 }, objective: objective);
        return [.. trainer.Steps(_images).Select(step => step.Loss)];
    }

    private static TrainerOptions Options(int steps, string? folder = null) => new()
    {
        Steps = steps, BatchSize = 8, LearningRate = 1e-3, Seed = 3, Checkpoints = new() { Folder = folder, Every = 10 },
    };

    private static (Tensor Loss, Dictionary<string, Tensor> Gradients) WithGradients(TinyNetwork network, Func<Tensor> evaluate)
    {
        network.zero_grad();
        var loss = evaluate();
        loss.backward();
        return (loss.detach(), network.named_parameters().ToDictionary(entry => entry.name, entry => entry.parameter.grad!.clone()));
    }

    /// <summary>A bias for each output channel over the sum of the input channels, for networks of other numbers of channels.</summary>
    private sealed class WideNetwork : nn.Module<Tensor, Tensor, Tensor>
    {
        private readonly int _inputs;

        [ComponentName(Name = "weight")]
        private readonly Parameter _weight;

        [ComponentName(Name = "bias")]
        private readonly Parameter _bias;

        public WideNetwork(int inputs, int outputs)
            : base(nameof(WideNetwork))
        {
            _inputs = inputs;
            _weight = new Parameter(full([outputs, inputs], 0.3f));
            _bias = new Parameter(full([outputs], 0.1f));
            RegisterComponents();
        }

        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            Assert.Equal(_inputs, images.shape[1]);
            using var scope = NewDisposeScope();
            var mixed = matmul(_weight, images.flatten(2)).view(images.shape[0], -1, images.shape[2], images.shape[3]);
            return (mixed + _bias.view(1, -1, 1, 1)).MoveToOuterDisposeScope();
        }
    }

    /// <summary>A network with something put before its input.</summary>
    private sealed class Beside(nn.Module<Tensor, Tensor, Tensor> network, Tensor before) : nn.Module<Tensor, Tensor, Tensor>(nameof(Beside))
    {
        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            using var input = cat([before, images], 1);
            return network.call(input, timesteps);
        }
    }

    /// <summary>Remembers the timesteps that it is given.</summary>
    private sealed class Listener : nn.Module<Tensor, Tensor, Tensor>
    {
        [ComponentName(Name = "scale")]
        private readonly Parameter _scale;

        public Listener()
            : base(nameof(Listener))
        {
            _scale = new Parameter(ones(1));
            RegisterComponents();
        }

        public List<float> Heard { get; } = [];

        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            Heard.AddRange(timesteps.Numbers().Select(number => (float)number));
            return images * _scale;
        }
    }
}
