using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Sample.Tests;

/// <summary>Pictures of samplers, guidance, noise and denoising, by a network that has seen three batches: that they show what they should.</summary>
public sealed class PictureCommandTests : IClassFixture<TaskCommandTests.TrainedRun>
{
    private const int Scale = 3; // small images are shown three times as large

    private readonly SampleProcess _app;

    public PictureCommandTests(TaskCommandTests.TrainedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        _app = run.App;
    }

    [Theory]
    [InlineData("sample --checkpoint out --count 3 --steps 4 --strips 2", "denoising", 4, 4)]
    [InlineData("sample --checkpoint out --count 3 --steps 25 --strips 1", "denoising", 10, 2)]
    [InlineData("compare --checkpoint out --samplers ddim heun euler --calls 2 5 --count 2", "compare", 4, 3)]
    [InlineData("compare --checkpoint out --guidances 1 --calls 3 --sampler unipc", "compare", 1, 1)]
    [InlineData("compare --checkpoint out --samplers ddim ddpm --steps 2", "compare", 10, 2)]
    [InlineData("compare --checkpoints out out/ema.safetensors out/model.safetensors --steps 2 --count 4", "compare", 4, 3)]
    [InlineData("forward --config run.json --count 3 --points 5", "forward", 5, 3)]
    [InlineData("forward --config run.json --schedule cosine", "forward", 11, 4)]
    public void Run_TinyModel_WritesAGrid(string command, string name, int columns, int rows)
    {
        Done(command);
        var picture = Drawn(name);
        Assert.Equal((columns, rows), (picture.Width / (28 * Scale), picture.Height / (28 * Scale)));
    }

    [Fact]
    public void Compare_Row_IsWhatSampleDraws()
    {
        using var scope = NewDisposeScope();
        var rows = new List<Tensor>();
        foreach (var (sampler, steps) in new[] { ("ddim", 5), ("heun", 3) }) // Heun's method calls the network twice a step, and once in the last
        {
            Done($"sample --checkpoint out --sampler {sampler} --steps {steps} --count 2 --seed 3 --raw");
            rows.Add(Safetensors.Load(_app.At("drawn/samples.safetensors"))["images"]);
        }

        var run = Done("compare --checkpoint out --samplers ddim heun --calls 5 --count 2 --seed 3");
        Assert.Contains("5 calls", run.Output, StringComparison.Ordinal);
        Assert.Equal(ImageGrid.Compose(cat(rows), columns: 2, scale: Scale).Pixels, Drawn("compare").Pixels);
    }

    [Fact]
    public void Compare_Checkpoints_RowsAreOfEachNetwork()
    {
        using var scope = NewDisposeScope();
        var rows = new List<Tensor>();
        File.Copy(_app.At("out/ema.safetensors"), _app.At("averaged[1].safetensors"), overwrite: true); // brackets are markup to the console
        foreach (var weights in (string[])["out/model.safetensors", "averaged[1].safetensors"])
        {
            Done($"sample --checkpoint {weights} --sampler ddim --steps 3 --count 2 --raw");
            rows.Add(Safetensors.Load(_app.At("drawn/samples.safetensors"))["images"]);
        }

        Done("compare --checkpoints out/model.safetensors averaged[1].safetensors --sampler ddim --steps 3 --count 2");
        Assert.False(rows[0].equal(rows[1]).all().item<bool>());
        Assert.Equal(ImageGrid.Compose(cat(rows), columns: 2, scale: Scale).Pixels, Drawn("compare").Pixels);
    }

    [Fact]
    public void Compare_CheckpointsOfUnlikeSizes_AreRefusedBeforeAnyDraws()
    {
        ImageFile.Save(_app.At("small/a.png"), new PixelImage(16, 16, 1, new byte[256]));
        File.WriteAllText(_app.At("small.json"), $$"""{ "data": { "kind": "folder", "path": "small", "size": 16, "channels": 1 }, {{SampleProcess.Model}}, "training": { "steps": 1, "batchSize": 1 }, "sampling": { "count": 1, "steps": 1 } }""");
        var trained = _app.Run("train", "--config", _app.At("small.json"), "--out", "other");
        Assert.True(trained.ExitCode == 0, trained.Output + trained.Error);

        var run = _app.Run("compare", "--checkpoints", "out", "other", "--steps", "2", "--out", "unlike");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("of one size; those of 'other' are 1×16×16, those of 'out' 1×28×28", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("2 steps:", run.Output, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_app.At("unlike")));
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("cosine")]
    [InlineData("flow")]
    public void Forward_Row_IsTheImageAndItsNoisyVersions(string name)
    {
        Done($"forward --config run.json --count 1 --points 3 --seed 4 --schedule {name}");
        using var scope = NewDisposeScope();
        var image = ImageFile.Load(_app.At("digit.png")).ToTensor();
        using var noise = NoiseSource.Seeded(4);
        var drawn = noise.Draw(image.shape, CPU);
        var schedule = NoiseSchedule.Create(name, 1000);
        NoiseLevel[] levels = [schedule.LevelAt(499), schedule.LevelAt(999)];
        var expected = levels.Select(level => ((level.Alpha * image) + (level.Sigma * drawn)) / Math.Sqrt((level.Alpha * level.Alpha) + (level.Sigma * level.Sigma)));
        var (pixels, shown) = (ImageGrid.Compose(cat([image, .. expected]), columns: 3, scale: Scale).Pixels.ToArray(), Drawn("forward").Pixels.ToArray());
        Assert.Equal(pixels.Length, shown.Length);
        Assert.All(pixels.Zip(shown), pair => Assert.InRange(pair.First - pair.Second, -1, 1)); // the digit's file is rounded to 8 bits
    }

    [Fact]
    public void Strips_LastColumn_IsTheImageTwice()
    {
        Done("sample --checkpoint out --count 2 --steps 4 --strips 2 --raw --seed 5");
        using var images = Safetensors.Load(_app.At("drawn/samples.safetensors"))["images"];
        var (strips, last) = (Drawn("denoising"), ImageGrid.Compose(images.repeat_interleave(2, 0), columns: 1, scale: Scale));
        Assert.Equal(last.Height, strips.Height);
        for (var y = 0; y < last.Height; y++)
        {
            Assert.Equal(last.Pixels.Slice(y * last.Width, last.Width), strips.Pixels.Slice(((y + 1) * strips.Width) - last.Width, last.Width));
        }
    }

    [Theory]
    [InlineData("ddim", 7, 7)]
    [InlineData("heun", 1, 1)]
    [InlineData("heun", 2, 1)]
    [InlineData("heun", 10, 5)]
    [InlineData("heun", 11, 6)]
    public void Steps_Calls_AreThoseThatTheSamplerMakes(string sampler, int calls, int steps) =>
        Assert.Equal(steps, CallCount.Steps(count => Sampler.Create(sampler, count), NoiseSchedule.Linear(), calls));

    [Fact]
    public void Steps_TooFewCalls_AreNone() => Assert.Null(CallCount.Steps(
        count => count >= 3 ? new DdimSampler(count) : throw new ArgumentException("at least three"), NoiseSchedule.Linear(), 2));

    [Theory]
    [InlineData("compare --checkpoint out", "one of --samplers, --guidances and --checkpoints")]
    [InlineData("compare --samplers ddim", "--checkpoint is needed")]
    [InlineData("compare --checkpoint out --samplers ddim --guidances 1", "one of --samplers, --guidances and --checkpoints")]
    [InlineData("compare --checkpoint out --checkpoints out", "--checkpoint has no use here")]
    [InlineData("compare --checkpoints out absent", "absent")]
    [InlineData("compare --checkpoint out --samplers ddin", "must be one of ddpm, ddim, ")]
    [InlineData("compare --checkpoint out --samplers ddim --calls 0", "at least 1")]
    [InlineData("compare --checkpoint out --samplers ddim --count 0", "at least 1")]
    [InlineData("compare --checkpoint out --samplers ddim --sampler ddpm", "--sampler has no use here")]
    [InlineData("compare --checkpoint out --samplers ddim --calls 3 --steps 4", "--steps has no use here")]
    [InlineData("compare --checkpoint out --guidances 1 --guidance 2", "--guidance has no use here")]
    [InlineData("compare --checkpoint out --guidances 2", "has no labels")]
    [InlineData("forward", "--config is needed")]
    [InlineData("forward --config absent.json", "absent.json")]
    [InlineData("forward --config run.json --points 1", "[2, 1001]")]
    [InlineData("forward --config run.json --count 999", "[1, 200]")]
    [InlineData("forward --config run.json --schedule cosy", "--schedule must be one of linear, ")]
    [InlineData("sample --checkpoint out --count 3 --strips 4", "[1, 3]")]
    [InlineData("sample --checkpoint out --strips 0", "[1, 4]")]
    public void Run_WrongUsage_SaysWhatIsWrongAndWritesNothing(string command, string expected)
    {
        ArgumentNullException.ThrowIfNull(command);
        var run = _app.Run([.. command.Split(' '), "--out", "refused"]);
        Assert.True(run.ExitCode == 2, $"exit code {run.ExitCode}\n{run.Output}{run.Error}");
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.False(Directory.Exists(_app.At("refused")));
    }

    private (int ExitCode, string Output, string Error) Done(string command)
    {
        var run = _app.Run([.. command.Split(' '), "--out", "drawn"]);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        return run;
    }

    private PixelImage Drawn(string name) => ImageFile.Load(_app.At($"drawn/{name}.png"));
}
