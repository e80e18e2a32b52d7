using Diffusion.Imaging;

namespace Diffusion.Sample.Tests;

/// <summary>The commands that change images, with a network that has seen three batches: that they run and say what they should.</summary>
public sealed class TaskCommandTests : IClassFixture<TaskCommandTests.TrainedRun>
{
    private readonly SampleProcess _app;

    public TaskCommandTests(TrainedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        _app = run.App;
    }

    [Theory]
    [InlineData("img2img --count 3 --strength 0.5", "img2img", 3, 2)]
    [InlineData("img2img --input digit.png --strength 1 --sampler euler-ancestral", "img2img", 1, 2)]
    [InlineData("inpaint --count 2 --hole left", "inpaint", 2, 3)]
    [InlineData("inpaint --input digit.png --mask digit.png --resamples 2 --jump-length 2 --sampler unipc --spacing trailing", "inpaint", 1, 3)]
    [InlineData("interpolate --count 2 --points 3", "interpolate", 3, 2)]
    [InlineData("interpolate --input digit.png digit.png --points 4", "interpolate", 4, 1)]
    [InlineData("interpolate --seeds 1 2 --count 1 --points 3 --sampler dpm++2m", "interpolate", 3, 1)]
    [InlineData("reconstruct --count 2 --spacing leading --schedule linear --guidance 1", "reconstruct", 2, 3)]
    public void Run_TinyModel_WritesAGrid(string command, string name, int columns, int rows)
    {
        var run = Run(command);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        var picture = ImageFile.Load(_app.At($"drawn/{name}.png"));
        Assert.Equal((columns, rows), (picture.Width / (28 * 3), picture.Height / (28 * 3))); // small images are shown three times as large
    }

    [Theory]
    [InlineData("img2img --strength 0", "(0, 1]")]
    [InlineData("img2img --strength 0.01", "at least 0.125")]
    [InlineData("img2img --count 999", "[1, 200]")]
    [InlineData("img2img --input absent.png", "absent.png")]
    [InlineData("img2img --sampler ddin", "--sampler must be one of ddpm, ddim, euler, ")]
    [InlineData("img2img --spacing wide", "--spacing must be one of linspace, leading, ")]
    [InlineData("img2img --schedule cosine", "trained with the schedule 'linear'")]
    [InlineData("img2img --schedule cosy", "must be one of linear, scaled-linear, ")]
    [InlineData("img2img --guidance 3", "the model of '", "has no labels")]
    [InlineData("sample --guidance 0", "has no labels")]
    [InlineData("inpaint --hole middle", "'left'", "'center'")]
    [InlineData("inpaint --hole left --mask digit.png", "exclude each other")]
    [InlineData("inpaint --jump-length 4", "shorter than the run, 4 steps")]
    [InlineData("inpaint --resamples 0", "resamples")]
    [InlineData("interpolate --seeds 1", "1 seed(s) and 0 file(s)")]
    [InlineData("interpolate --points 1", "--points must be at least 2")]
    [InlineData("interpolate --sampler euler", "must be ddim")]
    [InlineData("reconstruct --sampler ddpm", "must be ddim")]
    public void Run_WrongUsage_SaysWhatIsWrong(string command, params string[] expected)
    {
        var run = Run(command);
        Assert.True(run.ExitCode == 2, $"exit code {run.ExitCode}\n{run.Output}{run.Error}");
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.All(expected, text => Assert.Contains(text, run.Error, StringComparison.Ordinal));
    }

    [Fact]
    public void Run_SameSeed_WritesTheSamePicture()
    {
        Assert.Equal(0, Run("inpaint --count 2 --seed 5").ExitCode);
        var first = File.ReadAllBytes(_app.At("drawn/inpaint.png"));
        Assert.Equal(0, Run("inpaint --count 2 --seed 5").ExitCode);
        Assert.Equal(first, File.ReadAllBytes(_app.At("drawn/inpaint.png")));
        Assert.Equal(0, Run("inpaint --count 2 --seed 6").ExitCode);
        Assert.NotEqual(first, File.ReadAllBytes(_app.At("drawn/inpaint.png")));
    }

    [Fact]
    public void Train_ScheduleSamplerAndSpacing_AreTheRunsAndWrongOnesAreAllListed()
    {
        var run = _app.Run("train", "--config", _app.At("run.json"), "--out", "other", "--schedule", "cosine", "--sampler", "dpm++2m", "--spacing", "log-snr");
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        var config = File.ReadAllText(_app.At("other/config.json"));
        Assert.Contains("\"schedule\": \"cosine\"", config, StringComparison.Ordinal);
        Assert.Contains("\"spacing\": \"log-snr\"", config, StringComparison.Ordinal);
        Assert.Contains("schedule cosine", _app.Run("info", "other").Output, StringComparison.Ordinal);

        var wrong = _app.Run("train", "--config", _app.At("run.json"), "--out", "wrong", "--schedule", "cosy", "--sampler", "ddin");
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("--schedule must be one of linear, ", wrong.Error, StringComparison.Ordinal);
        Assert.Contains("--sampler must be one of ddpm, ", wrong.Error, StringComparison.Ordinal);
    }

    private (int ExitCode, string Output, string Error) Run(string command) =>
        _app.Run([.. command.Split(' '), "--checkpoint", "out", "--out", "drawn", "--steps", "4"]);

    /// <summary>A run of three steps, and a digit as a file.</summary>
    public sealed class TrainedRun : IDisposable
    {
        public TrainedRun()
        {
            var run = App.Run("train", "--config", App.Configure("\"steps\": 3"));
            Assert.True(run.ExitCode == 0, run.Output + run.Error);
            using var source = Mnist.Open(Path.GetFullPath(Path.Combine(Golden.Folder, "..", "..", "samples", "data", "mnist")), Split.Train, 1);
            using var batch = source.Read([0]);
            ImageFile.Save(App.At("digit.png"), batch.Images);
        }

        internal SampleProcess App { get; } = new();

        public void Dispose() => App.Dispose();
    }
}
