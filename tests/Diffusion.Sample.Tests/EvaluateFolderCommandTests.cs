using System.Text.Json;
using Diffusion.Evaluation;
using Diffusion.Imaging;

namespace Diffusion.Sample.Tests;

/// <summary>The command evaluate with a network that was trained on a folder of coloured images of 12×12, in two classes.</summary>
public sealed class EvaluateFolderCommandTests : IClassFixture<EvaluateFolderCommandTests.TrainedRun>
{
    private readonly SampleProcess _app;

    public EvaluateFolderCommandTests(TrainedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        _app = run.App;
    }

    /// <summary>Drawn, reference and training images are seen in the same form, and the report says in which.</summary>
    [Fact]
    public void Features_OfAClassifierOfTheFolder_MeasureImagesAsTheyAre()
    {
        Done("evaluate --checkpoint out --count 12 --steps 2 --features own.safetensors --cache cache --keep kept --out drawn.json");
        using var classifier = ImageClassifier.Load(_app.At("own.safetensors"));
        var features = $"{classifier.Name} grey 28x28 PillowBicubicEightBit";
        using var drawn = Metrics("drawn.json");
        Assert.Equal(features, drawn.RootElement.GetProperty("features").GetString());
        foreach (var name in new[] { "frechetDistance", "frechetDistanceFloor", "precision", "labelAccuracy", "referenceLabelAccuracy", "nearestPixels", "nearestFeatures" })
        {
            Assert.Contains(drawn.RootElement.GetProperty("figures").EnumerateArray(), figure => figure.GetProperty("name").GetString() == name);
        }

        Assert.Equal(1, Figure(drawn, "referenceLabelAccuracy"));
        using (var statistics = FeatureStatistics.Read(Assert.Single(Directory.GetFiles(_app.At("cache"), "*.npz"))))
        {
            Assert.EndsWith("; features " + features, statistics.Source, StringComparison.Ordinal);
        }

        // The PNGs that were kept are the same images.
        Done("evaluate --images kept --reference held --features own.safetensors --cache cache --figures frechet labels --out given.json");
        using var given = Metrics("given.json");
        Assert.Equal(Figure(drawn, "labelAccuracy"), Figure(given, "labelAccuracy"));
        Assert.Equal(Figure(drawn, "frechetDistance"), Figure(given, "frechetDistance"), 1e-3 * Math.Max(1, Figure(drawn, "frechetDistance")));
    }

    [Fact]
    public void Figures_OfPixels_NeedNoFeatures()
    {
        Done("evaluate --checkpoint out --count 6 --steps 2 --figures Nearest --out nearest.json");
        using var metrics = Metrics("nearest.json");
        Assert.Equal("none", metrics.RootElement.GetProperty("features").GetString());
        Assert.Equal(["nearestPixels", "copiesPixels", "nearestReferencePixels", "copiesReferencePixels", "nearerThanReferencePixels"], metrics.RootElement.GetProperty("figures").EnumerateArray().Select(figure => figure.GetProperty("name").GetString()));
    }

    /// <summary>The folder of the run is a reference, too, and copies of it are the best images.</summary>
    [Theory]
    [InlineData("--reference pictures")]
    [InlineData("--reference held/../pictures/")]
    [InlineData("--checkpoint on-itself")] // by folder.validationPath
    public void Reference_ThatTheNetworkWasTrainedOn_IsCalledSo(string options)
    {
        ArgumentNullException.ThrowIfNull(options);
        if (options.StartsWith("--checkpoint", StringComparison.Ordinal))
        {
            File.WriteAllText(_app.At("on-itself.json"), File.ReadAllText(_app.At("own.json")).Replace("\"held\"", "\"pictures\"", StringComparison.Ordinal));
            Done("train --config on-itself.json --out on-itself");
        }
        else
        {
            options += " --checkpoint out";
        }

        Done($"evaluate --count 6 --steps 2 --figures nearest --out trained.json {options}");
        using var metrics = Metrics("trained.json");
        Assert.Equal(0, Figure(metrics, "nearestReferencePixels"));
        Assert.Contains(metrics.RootElement.GetProperty("remarks").EnumerateArray(), remark => remark.GetString()!.StartsWith("the reference is what the network was trained on", StringComparison.Ordinal));
    }

    /// <summary>A run that trains on parts of images is compared with the middle of a folder's, whichever way the folder is named.</summary>
    [Fact]
    public void Reference_OfARunOnParts_IsCutAsThoseForValidation()
    {
        File.WriteAllText(_app.At("parts.json"), File.ReadAllText(_app.At("own.json")).Replace("\"size\": 12", "\"size\": 8, \"augmentation\": { \"cropFrom\": 12 }", StringComparison.Ordinal));
        Done("train --config parts.json --out parts");
        Done("evaluate --checkpoint parts --count 6 --steps 2 --figures nearest --out validation.json");
        Done("evaluate --checkpoint parts --count 6 --steps 2 --figures nearest --reference held --out named.json");
        using var validation = Metrics("validation.json");
        using var named = Metrics("named.json");
        Assert.Equal(Figure(validation, "nearestReferencePixels"), Figure(named, "nearestReferencePixels"));
    }

    [Fact]
    public void Likelihood_AndKeptImages_NeedNoFeatures()
    {
        Done("evaluate --checkpoint out --count 6 --steps 2 --likelihood 2 --keep images --out likelihood.json");
        using var metrics = Metrics("likelihood.json");
        Assert.True(Figure(metrics, "likelihoodBound") > 0);
        Assert.True(Figure(metrics, "nearestPixels") > 0);
        Assert.Contains(metrics.RootElement.GetProperty("remarks").EnumerateArray(), remark => remark.GetString() == "FrechetDistance: not measured, for it needs the features of a network.");
        Assert.Equal(3, Directory.GetFiles(_app.At("images/bright"), "*.png").Length);
        Assert.Equal(3, Directory.GetFiles(_app.At("images/dark"), "*.png").Length);
    }

    [Theory]
    [InlineData("--checkpoint out --count 6", "which 'classifier --kind folder --data DIR --out FILE.safetensors' trains")]
    [InlineData("--checkpoint out --count 6 --figures nearest frechet", "Without features there are the distances in pixels alone: --figures nearest.")]
    [InlineData("--checkpoint out --count 6 --figures precision --likelihood 2", "by --features: digits, textures (both for grey images of 28×28)")]
    [InlineData("--images pictures --reference held", "or a TorchScript network")]
    [InlineData("--checkpoint out --count 6 --features digits", "--features digits takes images of 1×28×28, grey; these are 3×12×12. Give a network for them by --features FILE.")]
    [InlineData("--checkpoint out --count 6 --figures nearest --cache c", "--cache has no use here: without --features")]
    [InlineData("--checkpoint out --count 6 --figures nearest --features-options o.json", "--features-options has no use here: it says what a network of a TorchScript file takes, and there is no --features")]
    [InlineData("--checkpoint out --count 6 --figures nearest --reference statistics.npz", "Give the features that the images are compared in")]
    public void Features_ThatAreNeededOrDoNotFit_AreNamed(string options, string expected)
    {
        using (var statistics = FeatureStatistics.Of(TorchSharp.torch.eye(3), "three"))
        {
            statistics.Write(_app.At("statistics.npz"));
        }

        var run = _app.Run(["evaluate", .. options.Split(' ')]);
        Assert.True(run.ExitCode == 2, $"exit code {run.ExitCode}\n{run.Output}{run.Error}");
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    private void Done(string command)
    {
        var run = _app.Run(command.Split(' '));
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
    }

    private JsonDocument Metrics(string file) => JsonDocument.Parse(File.ReadAllText(_app.At(file)));

    private static double Figure(JsonDocument metrics, string name) =>
        metrics.RootElement.GetProperty("figures").EnumerateArray().Single(figure => figure.GetProperty("name").GetString() == name).GetProperty("value").GetDouble();

    /// <summary>A network trained for two steps, and a classifier of the same folder.</summary>
    public sealed class TrainedRun : IDisposable
    {
        public TrainedRun()
        {
            var model = SampleProcess.Model.Insert(SampleProcess.Model.LastIndexOf('}'), """, "dialect": { "labels": { "classes": 3 } } """);
            foreach (var (folder, count) in new[] { ("pictures", 10), ("held", 8) })
            {
                Write($"{folder}/bright", count, 160);
                Write($"{folder}/dark", count, 10);
            }

            File.WriteAllText(App.At("own.json"), $$"""
                { "data": { "kind": "folder", "path": "pictures", "size": 12, "channels": 3, "folder": { "validationPath": "held" } }, {{model}},
                  "training": { "steps": 2, "batchSize": 4 }, "sampling": { "count": 1, "steps": 2 } }
                """);
            Done("train", "--config", "own.json");
            Done("classifier", "--kind", "folder", "--data", "pictures", "--out", "own.safetensors");
        }

        internal SampleProcess App { get; } = new();

        public void Dispose() => App.Dispose();

        private void Done(params string[] arguments)
        {
            var run = App.Run(arguments);
            Assert.True(run.ExitCode == 0, run.Output + run.Error);
        }

        private void Write(string folder, int count, int from)
        {
            for (var i = 0; i < count; i++)
            {
                ImageFile.Save(App.At($"{folder}/{i}.png"), new PixelImage(12, 12, 3, [.. Enumerable.Range(0, 12 * 12 * 3).Select(p => (byte)(from + ((p * (i + count)) % 90)))]));
            }
        }
    }
}
