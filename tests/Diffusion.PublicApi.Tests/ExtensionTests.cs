using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>Everything that can be plugged in, written outside the library and used together.</summary>
public sealed class ExtensionTests
{
    [Fact]
    public void Fit_EverythingWrittenOutside_LearnsAndSamples()
    {
        using var network = new PixelNetwork();
        using var images = new Stripes();
        var options = new TrainerOptions { Steps = 400, BatchSize = 16, LearningRate = 0.02, Ema = new EmaOptions { Decay = 0.9 } };
        using var trainer = new Trainer(network, new CosineSchedule(200), options, new HalfImage());
        var losses = trainer.Steps(images).Select(step => step.Loss).ToList();
        Assert.True(losses[^20..].Average() < 0.5 * losses[..5].Average(), $"{losses[0]} → {losses[^1]}");

        using var drawn = new StraightSampler(20).Sample(trainer.Ema, [32, 1, 2, 2], seed: 1);
        Assert.Equal(Stripes.Light, drawn.select(3, 0).mean().item<float>(), 0.2);
        Assert.Equal(-Stripes.Light, drawn.select(3, 1).mean().item<float>(), 0.2);
    }

    [Fact]
    public void BetaNoiseSchedule_BetasFromOutside_GivesTheirLevels()
    {
        var schedule = NoiseSchedule.FromBetas(Enumerable.Range(1, 50).Select(i => i / 100.0));
        Assert.Equal(50, schedule.Timesteps);
        using var images = ones(2, 1, 2, 2);
        using var noise = zeros(2, 1, 2, 2);
        using var noisy = schedule.AddNoise(images, noise, [0, 49]);
        Assert.Equal(Math.Sqrt(0.99), noisy[0, 0, 0, 0].item<float>(), 1e-6);
        Assert.Equal(schedule.LevelAt(49).Alpha, noisy[1, 0, 0, 0].item<float>(), 1e-6);
    }

    /// <summary>ᾱ(t) = cos²((t + s)/(1 + s)·π/2), arXiv:2102.09672, Eq. 17, without its clipping: the last level keeps a little of the image.</summary>
    private sealed class CosineSchedule(int timesteps) : INoiseSchedule
    {
        public int Timesteps => timesteps;

        public NoiseLevel LevelAt(int timestep)
        {
            ArgumentOutOfRangeException.ThrowIfNegative(timestep);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(timestep, timesteps);
            var angle = ((timestep + 1.0) / (timesteps + 4) + 0.008) / 1.008 * Math.PI / 2;
            return new NoiseLevel(Math.Cos(angle), Math.Sin(angle), timestep);
        }
    }

    /// <summary>Half of what a tenth of the noisy image lacks to the clean one, with an input factor: every coefficient is used.</summary>
    private sealed class HalfImage : Parameterization
    {
        public override string Name => "half image";

        public override PredictionCoefficients At(NoiseLevel level) => new(0.1, 2, 0.5);
    }

    /// <summary>Goes straight to the next level along the predicted image and noise.</summary>
    private sealed class StraightSampler(int steps) : Sampler(steps, new SamplerOptions { Spacing = StepSpacing.Linspace })
    {
        protected override StepResult Step(StepContext context)
        {
            var image = context.Denoise().clamp(-1, 1);
            var noise = (context.Noisy - (image * context.From.Alpha)) / context.From.Sigma;
            return new StepResult((image * context.To.Alpha) + (noise * context.To.Sigma), image);
        }
    }

    /// <summary>Images with a light and a dark column.</summary>
    private sealed class Stripes : IImageSource
    {
        public const float Light = 0.6f;

        public string Name => "stripes";

        public int Count => 100;

        public ImageShape Shape => new(1, 2, 2);

        public int Classes => 0;

        public ImageBatch Read(ReadOnlySpan<int> indices)
        {
            using var image = tensor([Light, -Light, Light, -Light]).view(1, 1, 2, 2);
            return new ImageBatch(image.repeat(indices.Length, 1, 1, 1));
        }

        public void Dispose()
        {
        }
    }

    private sealed class PixelNetwork : nn.Module<Tensor, Tensor, Tensor>
    {
        [ComponentName(Name = "layers")]
        private readonly Sequential _layers;

        public PixelNetwork()
            : base(nameof(PixelNetwork))
        {
            random.manual_seed(3);
            _layers = nn.Sequential(nn.Linear(5, 32), nn.SiLU(), nn.Linear(32, 4));
            RegisterComponents();
        }

        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            using var scope = NewDisposeScope();
            var time = timesteps.to(ScalarType.Float32).unsqueeze(1) / 100;
            return _layers.call(cat([images.flatten(1), time], 1)).view(images.shape).MoveToOuterDisposeScope();
        }
    }
}
