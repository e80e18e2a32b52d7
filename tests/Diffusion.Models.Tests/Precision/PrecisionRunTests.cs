using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Whole runs in bfloat16: training, resuming, sampling.</summary>
public sealed class PrecisionRunTests
{
    private static readonly LinearNoiseSchedule s_schedule = new();

    [Fact]
    public void Fit_StoppedAndResumedInBFloat16_EndsWithTheSameBits()
    {
        using var folder = new TemporaryFolder();
        using var images = new Blobs();
        using var whole = Build();
        using var stopped = Build();
        Train(whole, images, ComputePrecision.BFloat16, steps: 6);
        Train(stopped, images, ComputePrecision.BFloat16, steps: 6, stopAfter: 3, folder.File("run"));
        using var resumed = Build(seed: 9);

        Train(resumed, images, ComputePrecision.BFloat16, steps: 6, null, folder.File("run"));

        TensorAssert.Identical(whole.state_dict(), resumed.state_dict());
    }

    [Fact]
    public void Fit_BFloat16_TrainsAsFloat32DoesButNotTheSame()
    {
        using var images = new Blobs();
        using var exact = Build();
        using var narrow = Build();

        var expected = Train(exact, images, ComputePrecision.Float32, steps: 40);
        var actual = Train(narrow, images, ComputePrecision.BFloat16, steps: 40);

        Assert.Equal(Processor.UsesBFloat16, !expected.SequenceEqual(actual)); // where the processor cannot use bfloat16, it runs in float32
        Assert.Equal(expected.TakeLast(20).Average(), actual.TakeLast(20).Average(), 0.02 * expected.TakeLast(20).Average());
        Assert.All(narrow.parameters(), parameter => Assert.Equal(ScalarType.Float32, parameter.dtype));
        Assert.Equal(ComputePrecision.Float32, MixedPrecision.Current);
    }

    [Fact]
    public void Sample_WeightsRoundedOnceARun_AreThoseOfEachCall()
    {
        using var scope = NewDisposeScope();
        using var images = new Blobs();
        using var unet = Build();
        using var trainer = new Trainer(unet, s_schedule, new TrainerOptions { Steps = 10, BatchSize = 4, LearningRate = 1e-2, Ema = new() { Decay = 0.5 } });
        trainer.Fit(images, stopAfter: 5);
        var network = trainer.Denoiser.In(ComputePrecision.BFloat16);
        var noisy = zeros(2, 1, 16, 16);

        // Two calls in a run, and between them: nothing, the average, a training step, loading.
        Compare(network, () => { });
        Compare(trainer.Ema.In(ComputePrecision.BFloat16), () => network.Denoise(noisy, s_schedule.LevelAt(100)).Dispose());
        Compare(network, () => trainer.Fit(images, stopAfter: 1));
        using var other = Build(seed: 5);
        using var weights = Weights.Snapshot(other);
        Compare(network, () => Weights.Load(unet, weights));

        void Compare(IDenoiser denoiser, Action between)
        {
            var calls = 0;
            var watched = new Watched(denoiser, (input, level, image) =>
            {
                using var fresh = NewDisposeScope();
                using var expected = OnNewThread(() => denoiser.Denoise(input, level));
                TensorAssert.Identical(expected, image, $"call {++calls}");
                between();
            });
            using var drawn = new DdimSampler(2).Sample(watched, [2, 1, 16, 16], seed: 1);
            Assert.Equal(2, calls);
        }
    }

    [Fact]
    public void Sample_InBFloat16_LeavesNoTensors()
    {
        using var unet = Build();
        var denoiser = new NetworkDenoiser(unet, s_schedule).In(ComputePrecision.BFloat16);
        void Draw() => new DdimSampler(3).Sample(denoiser, [1, 1, 16, 16], seed: 1).Dispose();
        Draw();
        var before = LiveTensors.Settled();
        Draw();
        Assert.Equal(before, LiveTensors.Settled());
    }

    [Fact]
    public void In_BFloat16_DrawsImagesNearThoseOfFloat32()
    {
        using var scope = NewDisposeScope();
        using var images = new Blobs();
        using var unet = Build();
        Train(unet, images, ComputePrecision.Float32, steps: 60); // a network that predicts noise: errors of another one grow from step to step
        var denoiser = new NetworkDenoiser(unet, s_schedule).Limited(ImageLimit.Clip());
        var sampler = new DdimSampler(12);

        var exact = sampler.Sample(denoiser, [4, 1, 16, 16], seed: 3);
        var narrow = sampler.Sample(denoiser.In(ComputePrecision.BFloat16), [4, 1, 16, 16], seed: 3);

        var difference = (exact - narrow).square().mean().sqrt().item<float>();
        Assert.Equal(ScalarType.Float32, narrow.dtype);
        Assert.InRange(difference, Processor.UsesBFloat16 ? 1e-6 : 0, Processor.UsesBFloat16 ? 0.02 : 0); // of a range of 2
    }

    [Fact]
    public void In_GuidedNetwork_CallsItOnceInThatPrecision()
    {
        using var scope = NewDisposeScope();
        using var network = new Recorder();
        var conditional = new NetworkDenoiser(network, s_schedule, nullCondition: Condition.OfLabels(2));
        var guided = conditional.With(1).In(ComputePrecision.BFloat16).Guided(3);

        guided.Denoise(zeros(1, 1, 4, 4), s_schedule.LevelAt(500));
        guided.In(ComputePrecision.Float32).Denoise(zeros(1, 1, 4, 4), s_schedule.LevelAt(500));
        conditional.With(1).In(ComputePrecision.BFloat16).AutoGuided(conditional.With(1), 3).Denoise(zeros(1, 1, 4, 4), s_schedule.LevelAt(500));

        // The inner choice counts; where the two differ there are two calls.
        Assert.Equal([(1, ComputePrecision.Float32), (1, ComputePrecision.BFloat16), (2, ComputePrecision.BFloat16), (2, ComputePrecision.BFloat16)], network.Calls.Order());
        Assert.Throws<ArgumentOutOfRangeException>("precision", () => guided.In((ComputePrecision)5));
    }

    [Fact]
    public void Validate_UnknownPrecision_NamesIt() =>
        Assert.Contains(new TrainerOptions { Precision = (ComputePrecision)5 }.Validate(), error => error.ToString().Contains("Float32, BFloat16", StringComparison.Ordinal));

    private static UNet Build(long seed = 1) => UNetBuilder.ForImages(channels: 1, size: 16)
        .With(options => options with { TimeDimension = 32, ZeroInitialize = false })
        .Down(16, layers: 1, attention: true, heads: 2).Down(32, layers: 1).Mid(32).Build(seed);

    private static double[] Train(UNet network, IImageSource images, ComputePrecision precision, int steps, int? stopAfter = null, string? folder = null)
    {
        using var trainer = new Trainer(network, s_schedule, new TrainerOptions
        {
            Steps = steps, BatchSize = 8, LearningRate = 1e-3, Precision = precision, Checkpoints = new() { Folder = folder },
        });
        if (folder is not null)
        {
            trainer.Resume(folder);
        }

        List<double> losses = [];
        trainer.Fit(images, new Inline(step => losses.Add(step.Loss)), stopAfter);
        return [.. losses];
    }

    private sealed class Inline(Action<TrainingStep> action) : IProgress<TrainingStep>
    {
        public void Report(TrainingStep value) => action(value);
    }

    /// <summary>A bright square somewhere on dark ground.</summary>
    private sealed class Blobs : IImageSource
    {
        public string Name => "squares";

        public int Count => 64;

        public ImageShape Shape => new(1, 16, 16);

        public int Classes => 0;

        public ImageBatch Read(ReadOnlySpan<int> indices)
        {
            var images = full([indices.Length, 1, 16, 16], -1f);
            for (var i = 0; i < indices.Length; i++)
            {
                using var square = images.narrow(0, i, 1).narrow(2, indices[i] / 8, 6).narrow(3, indices[i] % 8, 6);
                square.fill_(1);
            }

            return new ImageBatch(images);
        }

        public void Dispose()
        {
        }
    }

    private sealed class Recorder() : nn.Module<Tensor, Tensor, Tensor>(nameof(Recorder)), IConditionalNetwork
    {
        public List<(int Images, ComputePrecision Precision)> Calls { get; } = [];

        public bool TakesLabels => true;

        public bool TakesContext => false;

        public override Tensor forward(Tensor images, Tensor timesteps) => throw new NotSupportedException();

        public Tensor Predict(Tensor noisy, Tensor timesteps, Tensor? labels, Tensor? context)
        {
            Calls.Add(((int)noisy.shape[0], MixedPrecision.Current));
            return noisy.clone();
        }
    }

    /// <summary>Outside of any run, where every call rounds the weights.</summary>
    private static Tensor OnNewThread(Func<Tensor> call)
    {
        Tensor? result = null;
        var thread = new Thread(() =>
        {
            using var noGradients = no_grad();
            result = call().DetachFromDisposeScope();
        });
        thread.Start();
        thread.Join();
        return result!;
    }

    private sealed class Watched(IDenoiser denoiser, Action<Tensor, NoiseLevel, Tensor> seen) : IDenoiser
    {
        public INoiseSchedule Schedule => denoiser.Schedule;

        public Device Device => denoiser.Device;

        public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null)
        {
            var prediction = denoiser.Predict(noisy, level, condition, estimate);
            seen(noisy, level, prediction.Image);
            return prediction;
        }
    }
}
