using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>A program that has set torch's default type, for another model, builds, trains, loads and samples the same networks.</summary>
public sealed class DefaultTypeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private int _runs;

    public void Dispose() => _folder.Dispose();

    /// <summary>The case that was reported: the network is built with the other type set, too.</summary>
    [Theory]
    [InlineData(ComputePrecision.Float32)]
    [InlineData(ComputePrecision.BFloat16)]
    public void Fit_StoppedAndResumed_EndsWithTheSameBits(ComputePrecision precision)
    {
        using var images = new Squares();
        DefaultTypes.Agree(() =>
        {
            var options = new TrainerOptions { Steps = 3, BatchSize = 4, LearningRate = 1e-2, Precision = precision, Checkpoints = new() { Folder = _folder.File($"run-{_runs++}"), Every = 2 } };
            using (var network = Network())
            using (var trainer = new Trainer(network, NoiseSchedule.Linear(), options))
            {
                trainer.Fit(images, stopAfter: 2);
            }

            using var other = Network(seed: 2);
            using var resumed = new Trainer(other, NoiseSchedule.Linear(), options);
            Assert.True(resumed.Resume());
            resumed.Fit(images);
            return new(Weights.Snapshot(other)) { ["drawn"] = Sampler.Create("ddim", 3).Sample(resumed.Ema.In(precision), [2, 1, 16, 16], seed: 4) };
        });
    }

    [Theory]
    [InlineData("cifar10")]
    [InlineData("u28_class10")]
    [InlineData("u28_fourier")]
    [InlineData("u28_learned_time_nomid_relu")]
    [InlineData("u28_scale_shift")]
    [InlineData("u32_resnet_updown")]
    public void Network_OfEachKind_GivesTheSameOutputAndGradients(string name)
    {
        var options = name == "cifar10" ? UNetPresets.DdpmCifar10() with { TimeDimension = 64 } : UNetOptionsOf(name);
        using var generator = new Generator(5, CPU);
        using var noisy = randn([2, options.Image.Channels, options.Image.Height, options.Image.Width], ScalarType.Float32, generator: generator);
        using var timesteps = tensor([3L, 47L]);
        using var labels = options.Dialect.Labels is null ? null : tensor([1L, 2L]);
        DefaultTypes.Agree(() =>
        {
            using var network = UNetBuilder.From(options).Build(seed: 3);
            network.eval();
            var output = network.Predict(noisy, timesteps, labels);
            output.square().mean().backward();
            return network.named_parameters().Where(entry => entry.parameter.requires_grad).Select(entry => (entry.name, Value: entry.parameter.grad!.clone())).Append(("output", output.detach())).ToDictionary();
        });
    }

    [Theory]
    [InlineData("ddim_pipeline_16")]
    [InlineData("ddpm_pipeline_16")]
    public void Load_PipelineOfDiffusers_DrawsTheSame(string name)
    {
        using var golden = Golden.Case("diffusers_pipeline/" + name);
        DefaultTypes.Agree(() =>
        {
            using var pipeline = DiffusersPipeline.Load(golden.File("pipeline"));
            return new(Weights.Snapshot(pipeline.Network)) { ["drawn"] = pipeline.CreateSampler(4).Sample(pipeline.Denoiser, [1, 3, 16, 16], seed: 4) };
        });
    }

    [Fact]
    public void KernelCheck_AnotherDefaultType_ChecksTheSame() => DefaultTypes.Agree(() =>
    {
        var report = KernelCheck.Run();
        return new() { ["sound"] = tensor(report.Sound), ["checked"] = tensor(report.Checked) };
    });

    private static UNet Network(long seed = 1) => UNetBuilder.ForImages(channels: 1, size: 16).With(options => options with { TimeDimension = 32 }).Down(16, layers: 1, attention: true, heads: 2).Down(32, layers: 1).Mid(32).Build(seed);

    private static UNetOptions UNetOptionsOf(string name)
    {
        using var golden = Golden.Case("diffusers_unet2d/" + name);
        return DiffusersUNet.Parse(File.ReadAllText(golden.File("model/config.json"))).Options;
    }

    /// <summary>Eight images of one grey each.</summary>
    private sealed class Squares : IImageSource
    {
        public string Name => "squares";

        public int Count => 8;

        public ImageShape Shape => new(1, 16, 16);

        public int Classes => 0;

        public ImageBatch Read(ReadOnlySpan<int> indices) => new(tensor([.. indices.ToArray().SelectMany(i => Enumerable.Repeat((i / 4f) - 1, 256))], [indices.Length, 1, 16, 16]));

        public void Dispose()
        {
        }
    }
}
