using Diffusion.Imaging;
using Diffusion.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>The examples of docs/extending.md, used with everything that the library brings.</summary>
public sealed class ExtendingTests
{
    [Fact]
    public void Document_EveryExample_IsTheCompiledFile()
    {
        var repository = Path.GetDirectoryName(Path.GetDirectoryName(Golden.Folder))!;
        var document = File.ReadAllText(Path.Combine(repository, "docs", "extending.md")).ReplaceLineEndings("\n");
        foreach (var name in new[]
        {
            nameof(EvenAlphaSchedule), nameof(ScoreParameterization), nameof(MidpointSampler), nameof(SymmetricDenoiser), nameof(SmallNetwork), nameof(LatentImages), nameof(Brightness),
            nameof(PpmCodec),
        })
        {
            var code = File.ReadAllText(Path.Combine(repository, "tests", "Diffusion.PublicApi.Tests", "Extending", $"{name}.cs")).ReplaceLineEndings("\n");
            Assert.Contains(code[code.IndexOf("/// <summary>", StringComparison.Ordinal)..].Trim(), document, StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("dpm++2m")]
    [InlineData("heun")]
    [InlineData("dpm++2m-sde")]
    public void Sample_ScheduleFromOutside_WorksWithTheSamplersOfTheLibrary(string sampler) =>
        Check(Sampler.Create(sampler, 60, StepSpacing.LogSnr), new EvenAlphaSchedule(500));

    [Theory]
    [InlineData("linear")]
    [InlineData("cosine")]
    [InlineData("flow")]
    public void Sample_SamplerFromOutside_WorksWithTheSchedulesOfTheLibrary(string schedule) =>
        Check(new MidpointSampler(60, new() { Spacing = StepSpacing.LogSnr }), NoiseSchedule.Create(schedule));

    /// <summary>The loop of docs/extending.md is DDIM.</summary>
    [Fact]
    public void Predict_LoopOfOnesOwn_IsDdim()
    {
        using var all = NewDisposeScope();
        var schedule = NoiseSchedule.Linear();
        var denoiser = new FunctionDenoiser(schedule, (noisy, level) => noisy * level.Alpha * 0.5);
        var levels = StepSpacing.Trailing.Levels(schedule, 20);                      // 21 levels; the last is the clean image
        var x = NoiseSource.Seeded(7).Draw([8, 1, 16, 16], CPU);                     // the noise of seed 7
        for (var i = 0; i < 20; i++)
        {
            using var scope = NewDisposeScope();
            using var prediction = denoiser.Predict(x, levels[i]);                   // prediction.Image is x̂₀
            var share = levels[i + 1].Sigma / levels[i].Sigma;                       // DDIM
            x = ((x * share) + (prediction.Image * (levels[i + 1].Alpha - (levels[i].Alpha * share)))).MoveToOuterDisposeScope();
        }

        TensorAssert.Close(new DdimSampler(20).Sample(denoiser, [8, 1, 16, 16], seed: 7), x, 1e-5, 1e-5, "image");
    }

    [Fact]
    public void Target_ParameterizationFromOutside_IsTheScore()
    {
        using var scope = NewDisposeScope();
        using var noise = NoiseSource.Seeded(1);
        var (images, epsilon) = (noise.Draw([2, 1, 4, 4], CPU), noise.Draw([2, 1, 4, 4], CPU));
        var level = NoiseSchedule.Linear().LevelAt(300);
        var score = new ScoreParameterization().Target(images, epsilon, [level]);
        TensorAssert.Close(epsilon * (-1 / level.Sigma), score, 1e-5, 1e-5, "score");
        TensorAssert.Close(images, new ScoreParameterization().ToImage(ForwardProcess.AddNoise(images, epsilon, [level]), score, [level]), 1e-5, 1e-5, "image");
    }

    [Fact]
    public void Fit_NetworkOfLayersFromOutside_IsTrainedAndGuided()
    {
        random.manual_seed(1);
        using var network = new SmallNetwork(channels: 1, classes: 2);
        using var images = new BoxImages(64);
        var before = network.parameters().Select(parameter => parameter.detach().clone()).ToList();
        var options = new TrainerOptions { Steps = 20, BatchSize = 8, LearningRate = 1e-2, Ema = new EmaOptions { Decay = 0.9 } };
        using var trainer = new Trainer(network, NoiseSchedule.Linear(), options, nullCondition: Condition.OfLabels(2));
        var recorder = new Recorder();
        trainer.Observers.Add(recorder);
        trainer.Fit(images);

        var losses = recorder.Steps.Select(step => step.Loss).ToList();
        Assert.Equal(20, losses.Count);
        Assert.True(losses[^5..].Average() < losses[..2].Average(), $"{string.Join(", ", losses)}");
        Assert.All(network.parameters().Zip(before), pair => Assert.False(pair.First.equal(pair.Second).all().item<bool>())); // every weight gets gradients
        before.ForEach(parameter => parameter.Dispose());

        using var drawn = new DpmSolverSampler(steps: 4).Sample(trainer.Ema.With(1).Guided(2), [3, 1, 16, 16], seed: 0);
        using var other = new DpmSolverSampler(steps: 4).Sample(trainer.Ema.With(0).Guided(2), [3, 1, 16, 16], seed: 0);
        Assert.Equal([3, 1, 16, 16], drawn.shape);
        Assert.True(drawn.isfinite().all().item<bool>());
        Assert.False(drawn.allclose(other)); // it listens to the label
    }

    [Fact]
    public void Checkpoint_LayersFromOutside_HasTheSameGradients()
    {
        using var scope = NewDisposeScope();
        using var block = Layers.ResidualBlock(8, 16, timeChannels: 4);
        using var attention = Layers.CrossAttention(16, contextChannels: 6, heads: 2);
        var (images, time, tokens, context) = (randn(2, 8, 4, 4), randn(2, 4), randn(2, 5, 16), randn(2, 3, 6));
        foreach (var (module, first, second) in new[] { (block, images, time), (attention, tokens, context) })
        {
            module.call(first, second).square().sum().backward();
            var expected = module.parameters().Select(parameter => parameter.grad!.clone()).ToList();
            module.zero_grad();
            Layers.Checkpoint(module, first, second).square().sum().backward();
            Assert.All(module.parameters().Zip(expected), pair => TensorAssert.Close(pair.Second, pair.First.grad!, 1e-5, 1e-5, "gradient"));
        }
    }

    [Fact]
    public void Sample_DenoiserFromOutside_MakesSymmetricImages()
    {
        using var images = new DpmSolverSampler(steps: 8).Sample(new SymmetricDenoiser(Half(NoiseSchedule.Linear())), [2, 1, 8, 8], seed: 1);
        using var mirrored = images.flip(3);
        TensorAssert.Close(images, mirrored, 1e-4, 1e-4, "the mirror image");
    }

    [Fact]
    public void Fit_SourceOfLatentsFromOutside_TrainsOnItsContext()
    {
        using var unet = UNetBuilder.ForImages(channels: 4, size: 8).Down(8, layers: 1).Mid(8, heads: 2).WithContext(new ContextOptions { Channels = 6 }).Build();
        using var images = new LatentImages(randn(10, 4, 8, 8) * 3, randn(10, 5, 6));
        using var none = zeros(1, 5, 6);
        using var trainer = new Trainer(unet, NoiseSchedule.Linear(), new TrainerOptions { Steps = 3, BatchSize = 4 }, nullCondition: Condition.OfContext(none));
        trainer.Fit(images);
        Assert.Equal(3, trainer.StepsDone);
        using var batch = images.Read([2, 7]);
        Assert.Equal([2, 5, 6], batch.Context!.shape);
    }

    [Fact]
    public void Fit_ObserverFromOutside_ReportsToTheOthers()
    {
        using var network = UNetBuilder.ForImages(channels: 1, size: 28).Down(8, layers: 1).Mid(8, attention: false).Build();
        using var images = new TensorImages(zeros(4, 1, 28, 28));
        using var trainer = new Trainer(network, NoiseSchedule.Linear(), new TrainerOptions { Steps = 2, BatchSize = 2 });
        var recorder = new Recorder();
        trainer.Observers.Add(new Brightness(every: 2));
        trainer.Observers.Add(recorder);
        trainer.Fit(images);
        var measured = Assert.Single(recorder.Measurements, measurement => measurement.Name == "brightness");
        Assert.InRange(measured.Value, -1, 1);
    }

    [Fact]
    public void Open_CodecFromOutside_ReadsItsFilesAndThoseOfTheLibrary()
    {
        using var folder = new TemporaryFolder();
        var options = new ImageFolderOptions { Height = 1, Width = 2, Channels = 3, Codec = new PpmCodec() };
        Directory.CreateDirectory(folder.File("photos"));
        folder.Write("photos/a.ppm", [.. "P6\n2 1\n255\n"u8, 255, 0, 0, 0, 0, 255]);
        using (var png = File.Create(folder.File("photos/b.png")))
        {
            options.Codec.EncodePng(png, new PixelImage(2, 1, 3, new byte[6]));
        }

        using var images = ImageFolder.Open(folder.File("photos"), options);
        using var batch = images.Read([0, 1]);
        Assert.Equal([1f, -1, -1, -1, -1, 1], batch.Images[0].flatten().data<float>().ToArray()); // red, then blue: [3, 1, 2]
        Directory.CreateDirectory(folder.File("damaged"));
        folder.Write("damaged/a.ppm", [.. "P6\n2 1\n255\n"u8, 255]);
        Assert.Contains("truncated", Assert.Throws<InvalidDataException>(() => ImageFolder.Open(folder.File("damaged"), options)).Message, StringComparison.Ordinal);
    }

    /// <summary>Data N(0, ½²), whose denoiser is known: the sampled pixels must have that deviation.</summary>
    private static void Check(Sampler sampler, INoiseSchedule schedule)
    {
        using var images = sampler.Sample(Half(schedule), [64, 1, 16, 16], seed: 1);
        using var deviation = images.std();
        Assert.Equal(0.5, deviation.item<float>(), 0.05);
    }

    private static FunctionDenoiser Half(INoiseSchedule schedule) => new(schedule, (noisy, level) =>
        noisy * (level.Alpha * 0.25 / ((level.Alpha * level.Alpha * 0.25) + (level.Sigma * level.Sigma))));
}
