using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using Xunit;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Training of a network that is told labels: dark images are class 0, light ones class 1.</summary>
public sealed class LabelTrainingTests
{
    private const long None = 2;

    [Fact]
    public void WithLabels_TwoClasses_LearnsWhatTheLabelsMean()
    {
        using var network = new LabelNetwork();
        using var images = new TwoClasses();
        using var trainer = Trained(network, images, new LabelTrainingOptions { NullLabel = None, Dropout = 0.2 });
        double Brightness(IDenoiser denoiser)
        {
            using var drawn = new DdimSampler(20).Sample(trainer.Averaged(denoiser), [32, 1, 2, 2], seed: 4);
            return drawn.mean().item<float>();
        }

        var conditional = trainer.Conditional!;
        var (dark, light) = (Brightness(conditional.With(0)), Brightness(conditional.With(1)));
        Assert.InRange(dark, -0.8, -0.2);
        Assert.InRange(light, 0.2, 0.8);
        Assert.InRange(Brightness(conditional.Unlabelled), dark + 0.1, light - 0.1);
        Assert.True(Brightness(conditional.Guided([1], 2)) > light, "guidance goes further in the direction of the label");
    }

    [Fact]
    public void Draw_WithDropout_LeavesOutAboutThatShareAndKeepsTheOtherDraws()
    {
        using var network = new LabelNetwork();
        var labelled = TrainingLoss.WithLabels(network, new LabelTrainingOptions { NullLabel = None, Dropout = 0.3 }, new LinearNoiseSchedule(), Parameterization.Epsilon, new TrainingObjective());
        var never = TrainingLoss.WithLabels(network, new LabelTrainingOptions { NullLabel = None, Dropout = 0 }, new LinearNoiseSchedule(), Parameterization.Epsilon, new TrainingObjective());
        using var scope = NewDisposeScope();
        var (one, other) = (labelled.Draw([4000, 1, 2, 2], new Generator(3)), never.Draw([4000, 1, 2, 2], new Generator(3)));
        Assert.Equal(0.3, one.Unlabelled!.Average(dropped => dropped ? 1.0 : 0), 0.03);
        Assert.Null(other.Unlabelled);
        Assert.Equal(one.Timesteps.Timesteps, other.Timesteps.Timesteps);
        TensorAssert.Identical(one.Noise, other.Noise, "noise");
    }

    [Fact]
    public void Steps_ImagesWithoutLabels_AreRefusedByName()
    {
        using var network = new LabelNetwork();
        using var images = new MemoryImages();
        using var trainer = Trainer.WithLabels(network, new LabelTrainingOptions(), new LinearNoiseSchedule(), new TrainerOptions { Steps = 1, BatchSize = 4 });
        Assert.Contains(images.Name, Assert.Throws<InvalidOperationException>(() => trainer.Steps(images).First()).Message, StringComparison.Ordinal);
        using var noisy = zeros(1, 1, 2, 2);
        Assert.Contains("bind labels", Assert.Throws<InvalidOperationException>(() => trainer.Ema.Denoise(noisy, new LinearNoiseSchedule().LevelAt(5))).Message, StringComparison.Ordinal);
    }

    private static Trainer Trained(LabelNetwork network, IImageSource images, LabelTrainingOptions labels)
    {
        var options = new TrainerOptions { Steps = 600, BatchSize = 32, LearningRate = 0.01, Ema = new EmaOptions { Decay = 0.95 } };
        var trainer = Trainer.WithLabels(network, labels, new CosineNoiseSchedule(200), options, Parameterization.Velocity);
        trainer.Fit(images);
        return trainer;
    }

    private sealed class LabelNetwork : nn.Module<Tensor, Tensor, Tensor, Tensor>
    {
        [ComponentName(Name = "first")]
        private readonly Linear _first = nn.Linear(4 + 1 + 3, 48);

        [ComponentName(Name = "second")]
        private readonly Linear _second = nn.Linear(48, 4);

        public LabelNetwork()
            : base(nameof(LabelNetwork))
        {
            using var noGradients = no_grad();
            using var generator = new Generator(1);
            foreach (var parameter in _first.parameters().Concat(_second.parameters()))
            {
                parameter.uniform_(-0.3, 0.3, generator);
            }

            RegisterComponents();
        }

        public override Tensor forward(Tensor images, Tensor timesteps, Tensor labels)
        {
            using var scope = NewDisposeScope();
            var input = cat([images.flatten(1), timesteps.to(ScalarType.Float32).unsqueeze(1) / 200, nn.functional.one_hot(labels, 3).to(ScalarType.Float32)], 1);
            return _second.call(nn.functional.silu(_first.call(input))).view(images.shape).MoveToOuterDisposeScope();
        }
    }

    private sealed class TwoClasses : IImageSource
    {
        public string Name => "two classes";

        public int Count => 64;

        public ImageShape Shape => new(1, 2, 2);

        public int Classes => 2;

        public ImageBatch Read(ReadOnlySpan<int> indices)
        {
            var labels = indices.ToArray().Select(index => (long)(index % 2)).ToArray();
            using var values = tensor(labels.Select(label => label == 0 ? -0.5f : 0.5f).ToArray());
            return new ImageBatch(values.view(-1, 1, 1, 1).expand(-1, 1, 2, 2).clone().DetachFromDisposeScope(), tensor(labels).DetachFromDisposeScope());
        }

        public void Dispose()
        {
        }
    }
}
