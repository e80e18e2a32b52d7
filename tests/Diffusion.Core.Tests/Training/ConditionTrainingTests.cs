using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Training with conditions: dark images are class 0, light ones class 1.</summary>
public sealed class ConditionTrainingTests
{
    private const long None = 2;

    [Fact]
    public void Fit_TwoClasses_LearnsWhatTheLabelsMean()
    {
        using var network = new LabelNetwork();
        using var images = new TwoClasses();
        using var trainer = Trained(network, images, new TrainingObjective { ConditionDropout = 0.2 });
        var (dark, light) = (Brightness(trainer.Ema.With(0)), Brightness(trainer.Ema.With(1)));
        Assert.InRange(dark, -0.8, -0.2);
        Assert.InRange(light, 0.2, 0.8);
        Assert.InRange(Brightness(trainer.Ema), dark + 0.1, light - 0.1);
        Assert.True(Brightness(trainer.Ema.With(1).Guided(2)) > light, "guidance goes further in the direction of the label");
    }

    [Fact]
    public void Fit_LabelsAndSelfConditioning_LearnsBoth()
    {
        using var network = new LabelNetwork(estimates: 4);
        using var images = new TwoClasses();
        using var trainer = Trained(network, images, new TrainingObjective { SelfConditioning = 0.5 });
        var limited = trainer.Ema.Limited(ImageLimit.Clip());
        Assert.InRange(Brightness(limited.With(0)), -0.8, -0.2);
        Assert.InRange(Brightness(limited.With(1)), 0.2, 0.8);
        var before = network.Calls;
        using var drawn = new DdimSampler(10).Sample(trainer.Ema.With(1).Guided(2), [2, 1, 2, 2], seed: 4);
        Assert.Equal(10, network.Calls - before); // guidance hands the estimate on: one call a step
    }

    [Fact]
    public void Fit_Contexts_LearnsWhatTheyMean()
    {
        using var network = new ContextNetwork();
        using var images = new TwoClasses(contexts: true);
        using var nothing = zeros(1, 1, 3);
        using var trainer = Trained(network, images, new TrainingObjective { ConditionDropout = 0.2 }, Condition.OfContext(nothing));
        using var light = TwoClasses.ContextsOf([1]);
        Assert.InRange(Brightness(trainer.Ema.With(Condition.OfContext(light))), 0.2, 0.8);
        Assert.InRange(Brightness(trainer.Ema), -0.3, 0.3);
        Assert.InRange(trainer.Evaluate(images, 16), 0, 1);
    }

    [Fact]
    public void Draw_WithDropout_DropsAboutThatShareAndKeepsTheOtherDraws()
    {
        using var network = new LabelNetwork();
        var often = TestLoss.Of(network, new LinearNoiseSchedule(), Parameterization.Epsilon, new TrainingObjective { ConditionDropout = 0.3 }, Condition.OfLabels(None));
        var never = TestLoss.Of(network, new LinearNoiseSchedule(), Parameterization.Epsilon, new TrainingObjective { ConditionDropout = 0 }, Condition.OfLabels(None));
        using var scope = NewDisposeScope();
        var (one, other) = (often.Draws.Draw([4000, 1, 2, 2], new Generator(3)), never.Draws.Draw([4000, 1, 2, 2], new Generator(3)));
        Assert.Equal(0.3, one.Dropped!.Average(dropped => dropped ? 1.0 : 0), 0.03);
        Assert.Null(other.Dropped);
        Assert.Equal(one.Timesteps.Timesteps, other.Timesteps.Timesteps);
        TensorAssert.Identical(one.Noise, other.Noise, "noise");
    }

    [Fact]
    public void Steps_ImagesWithoutConditions_AreRefused()
    {
        using var network = new LabelNetwork();
        using var images = new MemoryImages();
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), new TrainerOptions { Steps = 1, BatchSize = 4 });
        foreach (var use in new Action[] { () => Assert.NotNull(trainer.Steps(images).First()), () => trainer.Evaluate(images) })
        {
            Assert.Contains($"'{images.Name}' has no labels", Assert.Throws<InvalidOperationException>(use).Message, StringComparison.Ordinal);
        }

        using var noisy = zeros(1, 1, 2, 2);
        Assert.Contains("bind one", Assert.Throws<InvalidOperationException>(() => trainer.Ema.Denoise(noisy, new LinearNoiseSchedule().LevelAt(5))).Message, StringComparison.Ordinal);

        using var contexts = new ContextNetwork();
        using var other = new Trainer(contexts, new LinearNoiseSchedule(), new TrainerOptions { Steps = 1, BatchSize = 4 });
        Assert.Contains($"'{images.Name}' has no contexts", Assert.Throws<InvalidOperationException>(() => other.Steps(images).First()).Message, StringComparison.Ordinal);
        using var classes = new TwoClasses(contexts: true);
        using var two = new TwoClasses();
        using var taken = new Trainer(network, new LinearNoiseSchedule(), new TrainerOptions { Steps = 1, BatchSize = 4 }, nullCondition: Condition.OfLabels(1));
        Assert.Contains("one of the 2 classes of 'two classes'", Assert.Throws<InvalidOperationException>(() => taken.Fit(two)).Message, StringComparison.Ordinal);
        using var wrong = zeros(1, 2, 3);
        using var another = new Trainer(contexts, new LinearNoiseSchedule(), new TrainerOptions { Steps = 1, BatchSize = 4 }, objective: new() { ConditionDropout = 0.9 }, nullCondition: Condition.OfContext(wrong));
        Assert.Contains("L and D must be the same", Assert.Throws<ArgumentException>(() => another.Steps(classes).First()).Message, StringComparison.Ordinal);
        Assert.Contains("there is no null condition", Assert.Throws<ArgumentException>(() => new Trainer(network, new LinearNoiseSchedule(), objective: new() { ConditionDropout = 0.2 })).Message, StringComparison.Ordinal);
        Assert.Contains("ConditionDropout", Assert.Throws<ArgumentException>(() => new Trainer(network, new LinearNoiseSchedule(), objective: new() { ConditionDropout = 1 })).Message, StringComparison.Ordinal);
    }

    private static double Brightness(IDenoiser denoiser)
    {
        using var drawn = new DdimSampler(20).Sample(denoiser, [32, 1, 2, 2], seed: 4);
        return drawn.mean().item<float>();
    }

    private static Trainer Trained(nn.Module<Tensor, Tensor, Tensor> network, IImageSource images, TrainingObjective objective, Condition? none = null)
    {
        var options = new TrainerOptions { Steps = 600, BatchSize = 32, LearningRate = 0.01, Ema = new EmaOptions { Decay = 0.95 } };
        var trainer = new Trainer(network, new CosineNoiseSchedule(200), options, Parameterization.Velocity, objective: objective, nullCondition: none ?? Condition.OfLabels(None));
        trainer.Fit(images);
        return trainer;
    }

    /// <summary>Two linear maps of the pixels, the timestep and the condition.</summary>
    private abstract class SmallNetwork : nn.Module<Tensor, Tensor, Tensor>, IConditionalNetwork
    {
        [ComponentName(Name = "first")]
        private readonly Linear _first;

        [ComponentName(Name = "second")]
        private readonly Linear _second = nn.Linear(48, 4);

        protected SmallNetwork(string name, int inputs)
            : base(name)
        {
            _first = nn.Linear(inputs + 1 + 3, 48);
            using var noGradients = no_grad();
            using var generator = new Generator(1);
            foreach (var parameter in _first.parameters().Concat(_second.parameters()))
            {
                parameter.uniform_(-0.3, 0.3, generator);
            }

            RegisterComponents();
        }

        public int Calls { get; private set; }

        public abstract bool TakesLabels { get; }

        public bool TakesContext => !TakesLabels;

        public override Tensor forward(Tensor images, Tensor timesteps) => throw new InvalidOperationException("A condition is needed.");

        public Tensor Predict(Tensor images, Tensor timesteps, Tensor? labels, Tensor? context)
        {
            using var scope = NewDisposeScope();
            Calls++;
            var condition = labels is null ? context!.select(1, 0) : nn.functional.one_hot(labels, 3).to(ScalarType.Float32);
            var input = cat([images.flatten(1), timesteps.to(ScalarType.Float32).unsqueeze(1) / 200, condition], 1);
            return _second.call(nn.functional.silu(_first.call(input))).view(-1, 1, 2, 2).MoveToOuterDisposeScope();
        }
    }

    private sealed class LabelNetwork(int estimates = 0) : SmallNetwork(nameof(LabelNetwork), 4 + estimates)
    {
        public override bool TakesLabels => true;
    }

    private sealed class ContextNetwork() : SmallNetwork(nameof(ContextNetwork), 4)
    {
        public override bool TakesLabels => false;
    }

    private sealed class TwoClasses(bool contexts = false) : IImageSource
    {
        public string Name => "two classes";

        public int Count => 64;

        public ImageShape Shape => new(1, 2, 2);

        public int Classes => 2;

        public ImageBatch Read(ReadOnlySpan<int> indices)
        {
            var labels = indices.ToArray().Select(index => (long)(index % 2)).ToArray();
            using var values = tensor(labels.Select(label => label == 0 ? -0.5f : 0.5f).ToArray());
            var images = values.view(-1, 1, 1, 1).expand(-1, 1, 2, 2).clone().DetachFromDisposeScope();
            return contexts ? new ImageBatch(images, context: ContextsOf(labels)) : new ImageBatch(images, tensor(labels).DetachFromDisposeScope());
        }

        /// <summary>[B, 1, 3]: which class it is.</summary>
        public static Tensor ContextsOf(long[] labels)
        {
            using var scope = NewDisposeScope();
            return nn.functional.one_hot(tensor(labels), 3).to(ScalarType.Float32).unsqueeze(1).DetachFromDisposeScope();
        }

        public void Dispose()
        {
        }
    }
}
