namespace Diffusion.Sample.Tests;

public sealed class CommandLineTests : IDisposable
{
    private readonly SampleProcess _app = new();

    [Fact]
    public void Train_StoppedAndResumedInANewProcess_EndsWithTheSameBits()
    {
        var config = _app.Configure("\"steps\": 200", watch: "\"validateEvery\": 30, \"validationImages\": 16, \"previewEvery\": 80");
        Done(_app.Run("train", "--config", config, "--out", "whole"));
        Done(_app.Run("train", "--config", config, "--out", "parts", "--stop-after", "100"));
        Assert.False(File.Exists(_app.At("parts/model.safetensors")));
        var resumed = _app.Run("train", "--resume", "--out", "parts");
        Done(resumed);
        Assert.Matches(Times(steps: 100, images: 4), resumed.Output); // the steps of this process, which its seconds are for

        foreach (var file in new[] { "model.safetensors", "ema.safetensors", "losses.csv", "measurements.csv", "previews/step-00000160-raw.png", "digits.png", "checkpoints/step-00000200/optimizer.safetensors" })
        {
            Assert.True(File.ReadAllBytes(_app.At($"whole/{file}")).SequenceEqual(File.ReadAllBytes(_app.At($"parts/{file}"))), file);
        }
    }

    [Fact]
    public void Train_ThenSampleAndInfo_WritesWhatItSays()
    {
        var train = _app.Run("train", "--config", _app.Configure("\"steps\": 3"));
        Done(train);
        Assert.Matches(Times(steps: 3, images: 4), train.Output);
        foreach (var file in new[] { "digits.png", "denoising.gif", "loss.png", "model.safetensors", "ema.safetensors", "config.json", "losses.csv" })
        {
            Assert.True(new FileInfo(_app.At("out/" + file)).Length > 0, file);
        }

        Done(_app.Run("sample", "--checkpoint", "out", "--count", "5", "--steps", "2", "--seed", "4", "--out", "drawn", "--raw"));
        Done(_app.Run("sample", "--checkpoint", "out/ema.safetensors", "--count", "5", "--steps", "2", "--seed", "4", "--out", "again", "--raw"));
        using var raw = Safetensors.Load(_app.At("drawn/samples.safetensors"));
        using var again = Safetensors.Load(_app.At("again/samples.safetensors"));
        TensorAssert.Identical(raw["images"], again["images"], "images");
        Assert.Equal([5, 1, 28, 28], raw["images"].shape);
        Assert.InRange(raw["images"].abs().max().item<float>(), 0.01f, 1f);

        var info = _app.Run("info", "out");
        Done(info);
        Assert.Contains("8×1 → 16×1 attention(4)", info.Output, StringComparison.Ordinal);
        Assert.Contains("kernels", info.Output, StringComparison.Ordinal);
    }

    /// <summary>lcm takes at most 50 steps: for drawing the run's previews do not matter.</summary>
    [Fact]
    public void Sample_SamplerThatPreviewsWouldNotFit_Draws()
    {
        Done(_app.Run("train", "--config", _app.Configure("\"steps\": 1", watch: "\"previewEvery\": 1000, \"previewSteps\": 100, \"previewImages\": 1")));
        Done(_app.Run("sample", "--checkpoint", "out", "--count", "1", "--sampler", "lcm", "--steps", "4", "--out", "drawn"));
    }

    [Fact]
    public void Train_Watched_WritesEventsPreviewsValidationAndAReport()
    {
        Done(_app.Run("train", "--config", _app.Configure("\"steps\": 6", watch: """ "previewEvery": 4, "previewImages": 3, "previewSteps": 2, "validateEvery": 2, "validationImages": 8, "tensorBoard": true """)));
        Assert.Equal(7, File.ReadAllLines(_app.At("out/losses.csv")).Length);
        Assert.Equal(7, File.ReadAllLines(_app.At("out/measurements.csv")).Length); // a heading, and two losses after steps 2, 4 and 6
        Assert.Single(Directory.GetFiles(_app.At("out/events"), "events.out.tfevents.*"));
        Assert.Equal(4, Directory.GetFiles(_app.At("out/previews")).Length);
        var report = File.ReadAllText(_app.At("out/report.html"));
        Assert.Contains("complete: 6 steps", report, StringComparison.Ordinal);
        Assert.Equal(5, report.Split("data:image/png;base64,").Length);
        Assert.Contains("&quot;previewEvery&quot;: 4", report, StringComparison.Ordinal);

        Done(_app.Run("train", "--config", _app.Configure("\"steps\": 1", watch: "\"report\": false"), "--out", "quiet"));
        Assert.False(File.Exists(_app.At("quiet/report.html")));
    }

    [Fact]
    public void Train_Evaluated_ReportsDistancesAndKeepsTheBestWeights()
    {
        var train = _app.Run("train", "--config", _app.Configure("\"steps\": 5", watch: "\"evaluateEvery\": 2, \"evaluationImages\": 8, \"evaluationSteps\": 2"));
        Done(train);
        var words = string.Join(' ', train.Output.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)); // wherever the console breaks the line
        Assert.Contains("the Fréchet distance of 8 images to 200 that are trained on, in the features 'digits-", words, StringComparison.Ordinal);
        Assert.Equal(3, File.ReadAllLines(_app.At("out/measurements.csv")).Count(line => line.Contains(",frechet_distance,", StringComparison.Ordinal))); // after steps 2, 4 and 5
        Assert.Contains("\"referenceImages\": 200", File.ReadAllText(_app.At("out/best/best.json")), StringComparison.Ordinal);
        Done(_app.Run("sample", "--checkpoint", "out/best", "--count", "2", "--steps", "2", "--out", "drawn"));
        Assert.True(File.Exists(_app.At("drawn/digits.png")));
    }

    [Fact]
    public void Train_EvaluatedStoppedAndResumed_HasTheSameWeightsAndTheSameBest()
    {
        var config = _app.Configure("\"steps\": 4", watch: "\"evaluateEvery\": 1, \"evaluationImages\": 8, \"evaluationSteps\": 2");
        Done(_app.Run("train", "--config", config, "--out", "whole"));
        Done(_app.Run("train", "--config", config, "--out", "parts", "--stop-after", "1"));
        Done(_app.Run("train", "--resume", "--out", "parts", "--stop-after", "2"));
        Done(_app.Run("train", "--resume", "--out", "parts"));
        foreach (var file in new[] { "model.safetensors", "ema.safetensors", "best/model.safetensors", "best/ema.safetensors", "best/best.json" })
        {
            Assert.True(File.ReadAllBytes(_app.At($"whole/{file}")).SequenceEqual(File.ReadAllBytes(_app.At($"parts/{file}"))), file);
        }

        Assert.Equal(Distances("whole"), Distances("parts"));
        Assert.Equal(4, Distances("whole").Length);

        string[] Distances(string run) => [.. File.ReadAllLines(_app.At($"{run}/measurements.csv")).Where(line => line.Contains(",frechet_distance,", StringComparison.Ordinal))];
    }

    [Fact]
    public void Train_FolderWithAnotherRun_IsNotOverwritten()
    {
        var config = _app.Configure("\"steps\": 4");
        Done(_app.Run("train", "--config", config, "--stop-after", "2"));
        Wrong(_app.Run("train", "--config", config), "holds a run at step 2", "--resume");
        Done(_app.Run("train", "--config", config, "--resume"));
        Done(_app.Run("train", "--config", config)); // the same run again, over its own files
        Wrong(_app.Run("train", "--config", config, "--seed", "9"), "another run", "--out");
    }

    [Fact]
    public void Train_ConfigurationWithMistakes_ListsThemAll() => Wrong(
        _app.Run("train", "--config", _app.Configure("\"stepz\": 3, \"seed\": \"x\"")),
        "training.stepz is not an option", "training.seed must be a whole number");

    [Fact]
    public void Train_ImpossibleBlocks_SaysWhichAndWhy() => Wrong(
        _app.Run("train", "--config", _app.Configure("\"steps\": 3", """ "model": { "down": [ { "channels": 12, "attention": true, "heads": 5 } ] } """)),
        "model.down[0].channels must be a positive multiple of normGroups, 8; it is 12", "model.down[0].heads must divide the block's 12 channels; it is 5");

    [Theory]
    [InlineData("train", "--config", "absent.json", "absent.json")]
    [InlineData("train", "--steps", "many", "many")]
    [InlineData("train", "--stop-after", "0", "--stop-after must be at least 1")]
    [InlineData("sample", "--checkpoint", "nowhere", "nowhere")]
    [InlineData("paint", "--checkpoint", "out", "paint")]
    public void Run_WrongUsage_SaysWhatIsWrong(string command, string option, string value, string expected) =>
        Wrong(_app.Run(command, option, value), expected);

    [Fact]
    public void Sample_OutIsAFile_IsRefusedBeforeTheWeightsAreLookedFor()
    {
        File.WriteAllText(_app.At("drawn.json"), "{}");
        Wrong(_app.Run("sample", "--checkpoint", "nowhere", "--out", "drawn.json"), "--out: ", "drawn.json", "is a file");
        Assert.Equal("{}", File.ReadAllText(_app.At("drawn.json")));
    }

    [Fact]
    public void Train_ResumedWhereNoRunIs_IsRefused() =>
        Wrong(_app.Run("train", "--resume", "--out", "mistyped"), "there is no run in", "mistyped");

    [Fact]
    public void Sample_WeightsOfAnotherNetwork_NamesTheKeys()
    {
        Done(_app.Run("train", "--config", _app.Configure("\"steps\": 1")));
        using (var tensors = Safetensors.Load(_app.At("out/ema.safetensors")))
        {
            using var wrong = TorchSharp.torch.zeros(3);
            Safetensors.Save(
                _app.At("wrong.safetensors"),
                tensors.Where(entry => entry.Key != "conv_in.bias").Append(KeyValuePair.Create("conv_in.bias", wrong)),
                Safetensors.ReadMetadata(_app.At("out/ema.safetensors")));
        }

        var run = _app.Run("sample", "--checkpoint", "wrong.safetensors");
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("conv_in.bias", run.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
    }

    public void Dispose() => _app.Dispose();

    /// <summary>The last line of a run: what training and drawing took, apart.</summary>
    private static string Times(int steps, int images) => $@"Training took \d+\.\d s for {steps} steps, drawing \d+\.\d s for {images} images\.\s*$";

    private static void Done((int ExitCode, string Output, string Error) run) => Assert.True(run.ExitCode == 0, run.Output + run.Error);

    private static void Wrong((int ExitCode, string Output, string Error) run, params string[] expected)
    {
        Assert.True(run.ExitCode == 2, $"exit code {run.ExitCode}\n{run.Output}{run.Error}");
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        foreach (var text in expected)
        {
            Assert.Contains(text, run.Error, StringComparison.Ordinal);
        }
    }
}
