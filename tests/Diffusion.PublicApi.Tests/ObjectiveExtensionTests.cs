using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>The parts of a training objective, written outside the library and used together.</summary>
public sealed class ObjectiveExtensionTests
{
    [Fact]
    public void Fit_ObjectiveWrittenOutside_IsWhatIsTrained()
    {
        using var network = new OnePixel();
        using var images = new Ones();
        var odd = new EveryOther();
        var objective = new TrainingObjective { Loss = new Quartic(), Weighting = new Late(), Timesteps = odd };
        var options = new TrainerOptions { Steps = 20, BatchSize = 4 };
        using var trainer = new Trainer(network, NoiseSchedule.Linear(), options, Parameterization.Image, objective: objective);
        // A network that returns 0 for images of 1: the error is 1, so the loss is the mean of weight × importance.
        Assert.Equal(3 * 0.5, trainer.Steps(images).First().Loss, 1e-5);
        trainer.Fit(images);
        Assert.Equal(20, odd.Histories.Single().Probabilities().Length);
    }

    /// <summary>The fourth power of the error.</summary>
    private sealed class Quartic : LossFunction
    {
        public override string Name => "quartic";

        protected override Tensor Evaluate(Tensor prediction, Tensor target)
        {
            using var scope = NewDisposeScope();
            return (prediction - target).pow(4).flatten(1).mean([1]).MoveToOuterDisposeScope();
        }
    }

    /// <summary>3 in the second half of the schedule, 1 in the first.</summary>
    private sealed class Late : LossWeighting
    {
        public override string Name => "late";

        public override double At(NoiseLevel level, Parameterization parameterization) => level.Timestep >= 500 ? 3 : 1;
    }

    /// <summary>Even timesteps of the second half, with half the importance; keeps its histories.</summary>
    private sealed class EveryOther : TimestepDistribution
    {
        public List<LossHistory> Histories { get; } = [];

        public override string Name => "every other";

        public override LossHistory? NewHistory(INoiseSchedule schedule)
        {
            Histories.Add(new LossHistory(20, 3));
            return Histories[^1];
        }

        public override TimestepDraw Draw(INoiseSchedule schedule, int count, Generator generator, LossHistory? history = null)
        {
            using var draws = randint(250, [count], ScalarType.Int64, generator: generator);
            NoiseLevel[] levels = [.. draws.data<long>().ToArray().Select(i => schedule.LevelAt(500 + (2 * (int)i)))];
            return new TimestepDraw(levels, [.. levels.Select(_ => 0.5)]);
        }
    }

    private sealed class OnePixel : nn.Module<Tensor, Tensor, Tensor>
    {
        [ComponentName(Name = "value")]
        private readonly Parameter _value;

        public OnePixel()
            : base(nameof(OnePixel))
        {
            _value = new Parameter(zeros(1));
            RegisterComponents();
        }

        public override Tensor forward(Tensor images, Tensor timesteps) => _value.expand(images.shape);
    }

    private sealed class Ones : IImageSource
    {
        public string Name => "ones";

        public int Count => 8;

        public ImageShape Shape => new(1, 2, 2);

        public int Classes => 0;

        public ImageBatch Read(ReadOnlySpan<int> indices) => new(ones(indices.Length, 1, 2, 2));

        public void Dispose()
        {
        }
    }
}
