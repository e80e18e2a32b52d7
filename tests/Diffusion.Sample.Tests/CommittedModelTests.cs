using Diffusion.Configuration;
using Diffusion.Evaluation;
using static TorchSharp.torch;

namespace Diffusion.Sample.Tests;

/// <summary>The models of the repository: whole, small, and taken by every command.</summary>
public sealed class CommittedModelTests : IDisposable
{
    private const long MostBytes = 8_000_000;

    private readonly SampleProcess _app = new();

    public static TheoryData<string> Names => [.. Directory.GetDirectories(Models).Select(folder => Path.GetFileName(folder)!).Order(StringComparer.Ordinal)];

    private static string Models { get; } = Path.GetFullPath(Path.Combine(Golden.Folder, "..", "..", "samples", "models"));

    private static string Mnist { get; } = Path.Combine(Models, "mnist");

    [Fact]
    public void List_Models_AreDigitsAndTextures() => Assert.Equal(["mnist", "textures"], Names.Select(row => row.Data));

    [Theory]
    [MemberData(nameof(Names))]
    public void Find_Model_IsSmallAndFitsItsConfiguration(string name)
    {
        var folder = Path.Combine(Models, name);
        Assert.Equal(["README.md", "config.json", "model.safetensors"], Directory.GetFileSystemEntries(folder).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.InRange(new FileInfo(Path.Combine(folder, "model.safetensors")).Length, 1, MostBytes);
        var trained = TrainedWeights.Find(folder);
        Assert.Empty(trained.Options.Validate());
        Assert.Equal(Path.Combine(Path.GetDirectoryName(Models)!, "data", name), trained.Options.Data.Path);
        using (var network = trained.Options.CreateNetwork())
        {
            trained.Fill(network);
        }

        using var images = trained.Options.Data.Open();
        Assert.Equal(images.ClassNames, trained.Options.Data.ClassNames!);
        Assert.Equal(images.Classes, trained.Options.NullLabel);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ReadMetadata_Model_SaysTheSameAsItsConfigurationAndNothingOfAMachine(string name)
    {
        var folder = Path.Combine(Models, name);
        var (file, header) = (File.ReadAllText(Path.Combine(folder, "config.json")), Safetensors.ReadMetadata(Path.Combine(folder, "model.safetensors")));
        Assert.Equal(["diffusion.config", "format"], header.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(RunConfiguration.ToJson(RunConfiguration.Parse(file)), RunConfiguration.ToJson(RunConfiguration.Parse(header["diffusion.config"])));
        Assert.Equal($"../../data/{name}", RunConfiguration.Parse(file).Data.Path);
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Read_Card_SaysWhatWasTrainedHowAndHowGood(string name)
    {
        var card = File.ReadAllText(Path.Combine(Models, name, "README.md"));
        var options = RunConfiguration.Load(Path.Combine(Models, name, "config.json"));
        string[] facts =
        [
            "## How it was trained", "## How good it is", "## What is seen", "## Licence", $"sample --checkpoint samples/models/{name}", $"train --from samples/models/{name}", $"seed {options.Training.Seed}",
            $"{options.Training.Steps} steps of {options.Training.BatchSize} images", $"{options.Diffusion.Schedule}`", $"`{options.Sampling.Sampler}`", "processor",
        ];
        Assert.All(facts, fact => Assert.Contains(fact, card, StringComparison.Ordinal));
    }

    [Fact]
    public void Sample_Label_DrawsThatDigitByTheModelsOwnSettings()
    {
        var sampling = TrainedWeights.Find(Mnist).Options.Sampling;
        Says(Done("sample", "--checkpoint", Mnist, "--label", "7", "--count", "1", "--steps", "2"), "label 7: class \"7\"", $"sampler {sampling.Sampler}", "Drew 1 images from");
        Says(Done("info", Mnist), "class \"9\"", ModelCard.Describe(sampling));
    }

    /// <summary>A quick sampler is enough for digits that can be read.</summary>
    [Fact]
    public void Sample_DigitsInTurn_AreWhatTheirLabelsSay()
    {
        const int Count = 100;
        using var scope = NewDisposeScope();
        using var model = TrainedModel.Load(DrawingArguments.Of(Mnist, _app.At("drawn")) with { Sampler = "dpm++2m", Steps = 8 });
        using var classifier = ImageClassifier.Digits();
        var images = model.CreateSampler().Sample(model.InTurn(0, Count), model.Shape.Batch(Count), seed: 1);
        var found = classifier.Classify(EightBitImages.From(images)).Logits.argmax(1);
        var right = found.eq(arange(Count) % 10).sum().item<long>();
        Assert.True(right >= 90, $"{right} of {Count}");
    }

    /// <summary>The digits' model as a folder of diffusers; without the limit on images where its scheduler there has none.</summary>
    [Fact]
    public void Convert_Mnist_IsAPipelineThatDrawsTheSame()
    {
        var copy = Copy(options => options with { Sampling = options.Sampling with { Clip = false } });
        var sampling = TrainedWeights.Find(copy).Options.Sampling;
        Says(Done("convert", "--from", copy, "--to", "pipeline", "--dialect", "diffusers"), "DDPMPipeline", "10 class names", "10 is the label for no class");
        var guidance = sampling.CreateGuidance();
        string[] own = ["--sampler", sampling.Sampler, "--guidance", "1.5", "--guidance-sigma-min", Text(guidance.SigmaMin), "--guidance-sigma-max", Text(Math.Min(guidance.SigmaMax, 1e6)), .. sampling.Spacing is { } spacing ? (string[])["--spacing", spacing] : []];
        foreach (var options in new string[][] { own, ["--sampler", "euler", "--guidance", "1"] })
        {
            string[] arguments = ["--count", "2", "--steps", "3", "--label", "7", "--raw", .. options];
            Done(["sample", "--checkpoint", copy, "--out", "ours", .. arguments]);
            Done(["sample", "--checkpoint", "pipeline", "--out", "theirs", .. arguments]);
            Assert.Equal(File.ReadAllBytes(_app.At("ours/samples.safetensors")), File.ReadAllBytes(_app.At("theirs/samples.safetensors")));
        }

        Says(Done("sample", "--checkpoint", "pipeline", "--label", "7", "--count", "1", "--steps", "2"), "Scheduler", "label 7: class \"7\""); // the scheduler's own steps
    }

    [Fact]
    public void Train_FromMnist_GoesOnAndIsResumed()
    {
        var copy = Copy(options => options with { Training = options.Training with { BatchSize = 2 }, Sampling = options.Sampling with { Count = 1, Steps = 2 } });
        Says(Done("train", "--from", copy, "--steps", "2", "--stop-after", "1", "--out", "tuned"), "The weights begin as those of", "step 0 of 2");
        Done("train", "--resume", "--out", "tuned");
        using var before = Safetensors.Load(Path.Combine(Mnist, "model.safetensors"));
        using var after = Safetensors.Load(_app.At("tuned/model.safetensors"));
        Assert.Equal(before.Keys.Order(StringComparer.Ordinal), after.Keys.Order(StringComparer.Ordinal));

        // A step of Adam changes a weight by the rate at most: the first by nearly all of it, the second by up to 1.0012 of it with these β (Cauchy–Schwarz). Two steps of a warm-up, and what float32 rounds off.
        var training = TrainedWeights.Find(copy).Options.Training;
        var rates = training.LearningRate * (training.LearningRateSchedule.ShareAt(1, 2) + training.LearningRateSchedule.ShareAt(2, 2));
        Assert.Equal((0, 0.9, 0.99), (training.Optimizer.WeightDecay, training.Optimizer.Beta1, training.Optimizer.Beta2));
        using var scope = NewDisposeScope();
        var largest = before.Select(item => (item.Value.to_type(ScalarType.Float32) - after[item.Key]).abs().max().item<float>()).ToArray();
        Assert.InRange(largest.Max(), 0.9 * rates, (1.002 * rates) + 1e-6);
    }

    /// <summary>The first command of the README; ended once it trains.</summary>
    [Fact]
    public async Task Run_WithoutArguments_DrawsFirstThenTrains()
    {
        using var process = _app.Start();
        await _app.Until(process, () => File.Exists(_app.At("out/losses.csv")));
        process.Kill(entireProcessTree: true);
        Says(SampleProcess.Run(process), "Drawing first with the model that comes with this program, samples/models/mnist", "Drew 40 images from", "first", "Now a small network of your own is trained");
        Assert.Equal(["denoising.gif", "digits.png"], Directory.GetFiles(_app.At("out/first")).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.False(FirstRun.Draw(_app.At("nowhere"), _app.At("drawn"), CancellationToken.None));
        Assert.False(Directory.Exists(_app.At("drawn")));
    }

    /// <summary>In a folder with a run that stopped: nothing is drawn before it is said.</summary>
    [Fact]
    public void Run_WithoutArgumentsWhereARunStopped_SaysHowToGoOn()
    {
        Done("train", "--config", _app.Configure("\"steps\": 2"), "--stop-after", "1");
        var run = _app.Run();
        Assert.Equal(2, run.ExitCode);
        Says(run, "holds a run that stopped at step 1", "'train --resume' goes on with it");
        Assert.False(Directory.Exists(_app.At("out/first")));
    }

    public void Dispose() => _app.Dispose();

    /// <summary>The digits' model with another configuration beside the weights.</summary>
    private string Copy(Func<RunOptions, RunOptions> change)
    {
        Directory.CreateDirectory(_app.At("copy"));
        File.Copy(Path.Combine(Mnist, "model.safetensors"), _app.At("copy/model.safetensors"));
        RunConfiguration.Save(_app.At("copy/config.json"), change(RunConfiguration.Load(Path.Combine(Mnist, "config.json"))));
        return _app.At("copy");
    }

    private static string Text(double value) => value.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private (int ExitCode, string Output, string Error) Done(params string[] arguments)
    {
        var run = _app.Run(arguments);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        return run;
    }

    private static void Says((int ExitCode, string Output, string Error) run, params string[] texts) =>
        Assert.All(texts, text => Assert.Contains(Unbroken(text), Unbroken(run.Output + run.Error), StringComparison.Ordinal));

    private static string Unbroken(string text) => string.Concat(text.Where(sign => !char.IsWhiteSpace(sign) && sign != '│'));
}
