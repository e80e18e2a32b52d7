using System.Text.Json;
using Diffusion.Evaluation;
using Diffusion.Imaging;

namespace Diffusion.Sample.Tests;

/// <summary>The command evaluate with a class-conditional network that has seen three batches, and 40 digits to compare with: what it takes, writes and refuses.</summary>
public sealed class EvaluateCommandTests : IClassFixture<EvaluateCommandTests.TrainedRun>
{
    private const string Common = "--reference digits --features digits --cache cache";

    private readonly SampleProcess _app;

    public EvaluateCommandTests(TrainedRun run)
    {
        ArgumentNullException.ThrowIfNull(run);
        _app = run.App;
    }

    [Fact]
    public void Checkpoint_DrawsMeasuresAndKeeps_AndTheKeptImagesHaveTheSameFigures()
    {
        var run = Done($"evaluate --checkpoint out --count 20 --steps 2 --seed 3 --guidance 2 {Common} --keep kept --likelihood 2 --out measured");
        using var metrics = Metrics("measured/metrics.json");
        foreach (var name in new[] { "frechetDistance", "frechetDistanceFloor", "kernelDistance", "precision", "recall", "density", "coverage", "inceptionScore", "labelAccuracy", "labelAccuracySure", "referenceLabelAccuracy", "nearestPixels", "nearestReferencePixels" })
        {
            Assert.Contains($"| {name} | ", run, StringComparison.Ordinal);
            Assert.True(Figure(metrics, name).GetProperty("images").GetInt64() is 20 or 40, name);
        }

        // Nobody watches: what is done is told in lines, and nothing is written over.
        var lines = run.Split('\n').Select(line => line.TrimEnd('\r')).ToArray();
        Assert.Equal(["Measuring digits", "Drawing 20 images", "Drawing 20 images: 25 %", "Drawing 20 images: 50 %", "Drawing 20 images: 75 %", "Likelihood of 2 images"], lines.Where(line => line.StartsWith("Measuring digits", StringComparison.Ordinal) || line.StartsWith("Drawing", StringComparison.Ordinal) || line == "Likelihood of 2 images").Where(line => !line.StartsWith("Measuring digits:", StringComparison.Ordinal)));
        Assert.DoesNotContain('\u001b', run);
        Assert.All(lines, line => Assert.DoesNotContain('\r', line));

        Assert.True(Figure(metrics, "referenceLabelAccuracy").GetProperty("value").GetDouble() > 0.9);
        Assert.Equal(2, Figure(metrics, "likelihoodBound").GetProperty("images").GetInt32());
        Assert.True(Figure(metrics, "likelihoodExact").GetProperty("value").GetDouble() > 0);
        var settings = metrics.RootElement.GetProperty("settings");
        Assert.Equal(("ddpm", 2, 2.0, 3, 4), (settings.GetProperty("sampler").GetString(), settings.GetProperty("steps").GetInt32(), settings.GetProperty("guidance").GetDouble(), settings.GetProperty("seed").GetInt32(), settings.GetProperty("networkCallsPerImage").GetInt32()));
        Assert.Equal(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], Directory.GetDirectories(_app.At("kept")).Select(folder => Path.GetFileName(folder)).Order(StringComparer.Ordinal));
        Assert.Equal(20, Directory.GetFiles(_app.At("kept"), "*.png", SearchOption.AllDirectories).Length);
        Assert.DoesNotContain(Path.GetDirectoryName(_app.At("kept"))!, File.ReadAllText(_app.At("measured/metrics.json")), StringComparison.Ordinal); // a file that is passed on

        // Other batches, and another order: folders are sorted by class.
        Done($"evaluate --images kept {Common} --out kept.json --figures frechet labels precision density");
        using var kept = Metrics("kept.json");
        foreach (var name in new[] { "frechetDistance", "labelAccuracy", "precision", "coverage" })
        {
            Near(Figure(metrics, name), Figure(kept, name), 1e-4);
        }
    }

    [Fact]
    public void Seed_TheSame_GivesTheSameFiguresAndWithAnotherBatchNearlyTheSame()
    {
        const string Command = "evaluate --checkpoint out/ema.safetensors --count 12 --steps 2 --figures frechet kernel precision labels --out ";
        Done($"{Command} one {Common}");
        var written = Directory.GetFiles(_app.At("cache")).ToDictionary(file => file, File.GetLastWriteTimeUtc);
        Assert.NotEmpty(written);
        Done($"{Command} two {Common}");
        Done($"{Command} three --batch 5 {Common}");
        Done($"{Command} four --seed 8 {Common}");
        Assert.Equal(written, Directory.GetFiles(_app.At("cache")).ToDictionary(file => file, File.GetLastWriteTimeUtc)); // the statistics are there
        using JsonDocument one = Metrics("one/metrics.json"), two = Metrics("two/metrics.json"), three = Metrics("three/metrics.json"), four = Metrics("four/metrics.json");
        Assert.Equal(one.RootElement.GetProperty("figures").GetRawText(), two.RootElement.GetProperty("figures").GetRawText());
        Near(Figure(one, "frechetDistance"), Figure(three, "frechetDistance"), 1e-3);
        Assert.NotEqual(Figure(one, "frechetDistance").GetProperty("value").GetDouble(), Figure(four, "frechetDistance").GetProperty("value").GetDouble());
    }

    [Fact]
    public void Images_OfAFile_AreThoseThatAreDrawn()
    {
        Done("sample --checkpoint out --count 12 --steps 2 --seed 5 --raw --out drawn");
        Done($"evaluate --images drawn/samples.safetensors {Common} --figures frechet --out file");
        Done($"evaluate --checkpoint out --count 12 --steps 2 --seed 5 {Common} --figures frechet --out checkpoint");
        using JsonDocument file = Metrics("file/metrics.json"), checkpoint = Metrics("checkpoint/metrics.json");
        Near(Figure(checkpoint, "frechetDistance"), Figure(file, "frechetDistance"), 1e-4);
    }

    [Fact]
    public void Reference_OfAFile_IsTheImagesThatAreKeptAsFiles()
    {
        Done("sample --checkpoint out --count 12 --steps 2 --seed 6 --raw --out reference");
        Done($"evaluate --checkpoint out --count 12 --steps 2 --seed 6 {Common} --figures frechet --keep reference/kept --out reference");
        using JsonDocument ofFolder = Compared("reference/kept"), ofFile = Compared("reference/samples.safetensors");
        foreach (var name in new[] { "frechetDistance", "precision", "recall" })
        {
            Near(Figure(ofFolder, name), Figure(ofFile, name), 1e-4);
        }

        JsonDocument Compared(string reference)
        {
            Done($"evaluate --images digits --reference {reference} --features digits --figures frechet precision --out compared");
            return Metrics("compared/metrics.json");
        }
    }

    /// <summary>A file of the cache that is another's is not used: the name is that of what it must be.</summary>
    [Fact]
    public void Cache_WithAnotherFile_IsRefused()
    {
        const string Command = "evaluate --images digits --features digits --figures frechet --cache mixed --out mixed --reference";
        Done($"{Command} digits");
        var first = Assert.Single(Directory.GetFiles(_app.At("mixed"), "*.npz"));
        Done($"{Command} others");
        var second = Assert.Single(Directory.GetFiles(_app.At("mixed"), "*.npz"), file => file != first);
        File.Copy(first, second, overwrite: true);
        var refused = _app.Run($"{Command} others".Split(' '));
        Assert.Equal(1, refused.ExitCode);
        Assert.Contains("is not what its name says", refused.Error, StringComparison.Ordinal);

        // As a file of the user's it serves what it is of, and not other features.
        Done($"{Command.Replace("--cache mixed ", "", StringComparison.Ordinal)} {Path.GetRelativePath(_app.At("."), first)}");
        var other = _app.Run("evaluate", "--images", "digits", "--features", "textures", "--figures", "frechet", "--reference", first);
        Assert.Equal(2, other.ExitCode);
        Assert.Contains("has statistics of the features digits-", other.Error, StringComparison.Ordinal);
        var unused = _app.Run("evaluate", "--images", "digits", "--features", "digits", "--reference", first, "--cache", "mixed");
        Assert.Equal(2, unused.ExitCode);
        Assert.Contains("--cache has no use here: the statistics of the reference are those of --reference", unused.Error, StringComparison.Ordinal);
    }

    /// <summary>What a network was trained on are its run's images, whatever it is compared with.</summary>
    [Fact]
    public void Reference_OfACheckpoint_LeavesTheTrainingImagesOfItsRun()
    {
        File.WriteAllText(_app.At("own.json"), $$"""{ "data": { "kind": "folder", "path": "others" }, {{SampleProcess.Model}}, "training": { "steps": 1, "batchSize": 2 }, "sampling": { "count": 1, "steps": 2 } }""");
        Done("train --config own.json --out own");
        foreach (var options in new[] { "", " --held-back" })
        {
            Done($"evaluate --checkpoint own --count 6 --steps 1 --reference mnist{options} --features digits --figures nearest --out compared.json");
            using var metrics = Metrics("compared.json");
            Assert.Equal("others", Figure(metrics, "nearestPixels").GetProperty("reference").GetString());
        }

        Done("train --config run.json --out limited");
        Done($"evaluate --checkpoint limited --count 6 --steps 1 --reference mnist --figures nearest --out limited.json");
        using var limited = Metrics("limited.json");
        Assert.Equal(("mnist (Train)", 200), (Figure(limited, "nearestPixels").GetProperty("reference").GetString(), Figure(limited, "nearestPixels").GetProperty("referenceImages").GetInt32()));

        Directory.Move(_app.At("others"), _app.At("moved"));
        try
        {
            var run = _app.Run("evaluate", "--checkpoint", "own", "--count", "6", "--steps", "1", "--reference", "mnist", "--figures", "nearest");
            Assert.Equal(2, run.ExitCode);
            Assert.Contains("NearestImages needs training images", run.Error, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Move(_app.At("moved"), _app.At("others"));
        }
    }

    /// <summary>Another set of instructions gives other last digits: statistics of the one are not used with the other.</summary>
    [Fact]
    public void Cache_OfOtherInstructions_IsComputedAnew()
    {
        string[] command = ["evaluate", "--images", "digits", "--reference", "others", "--features", "digits", "--figures", "frechet", "--cache", "levels", "--out", "levels"];
        Assert.Equal(0, _app.Run(command).ExitCode);
        var run = _app.RunWith("ATEN_CPU_CAPABILITY", "default", command);
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        var sources = Directory.GetFiles(_app.At("levels"), "*.npz").Select(file =>
        {
            using var statistics = FeatureStatistics.Read(file);
            return statistics.Source;
        }).ToArray();
        Assert.Equal(2, sources.Length);
        Assert.All(sources, source => Assert.All([$"libtorch {TorchSharp.torch.__version__}", DiffusionRuntime.ProcessorDescription, "; features digits-"], part => Assert.Contains(part, source, StringComparison.Ordinal)));
        Assert.Single(sources, source => source.Contains("ATEN_CPU_CAPABILITY=default", StringComparison.Ordinal));
    }

    [Fact]
    public void Cache_WithADamagedFile_SaysWhatToRemove()
    {
        string[] command = ["evaluate", "--images", "digits", "--reference", "others", "--features", "digits", "--figures", "frechet", "--cache", "damaged", "--out", "damaged"];
        Assert.Equal(0, _app.Run(command).ExitCode);
        var file = Assert.Single(Directory.GetFiles(_app.At("damaged"), "*.npz"));
        File.WriteAllBytes(file, File.ReadAllBytes(file)[..100]);
        var run = _app.Run(command);
        Assert.Equal(1, run.ExitCode);
        Assert.All([Path.GetFileName(file), "It is a file of the cache: remove it"], part => Assert.Contains(part, run.Error, StringComparison.Ordinal));
    }

    /// <summary>A process without a folder of its user's must not write into the one it runs in.</summary>
    [Theory]
    [InlineData("/caches", "", ".cache", "/caches")]
    [InlineData("/caches", "/home/a", ".cache", "/caches")]
    [InlineData("caches", "/home/a", ".cache", "/home/a|.cache")]
    [InlineData("", "/home/a", ".cache", "/home/a|.cache")]
    [InlineData(null, "/local", "", "/local")]
    [InlineData(null, "", ".cache", null)]
    [InlineData("caches", "", "", null)]
    public void CacheFolder_OfVariableAndHome_IsWholeOrNone(string? variable, string home, string below, string? expected) =>
        Assert.Equal(expected is null ? null : Path.Combine(expected.Split('|')), StatisticsCache.FolderOf(variable, home, below));

    [Fact]
    public void CacheFolder_None_KeepsNothing()
    {
        using var statistics = FeatureStatistics.Of(TorchSharp.torch.eye(3), "three");
        StatisticsCache.Write(null, statistics, "three");
        Assert.Null(StatisticsCache.Read(null, "three", 3));
    }

    /// <summary>A user's network, with and without a file that says what it takes.</summary>
    [Fact]
    public void Features_OfATorchScriptFile_AreWhatTheirOptionsSay()
    {
        File.WriteAllText(_app.At("rgb.json"), """{ "channels": 3, "scale": 0.5 }""");
        File.WriteAllText(_app.At("wrong.json"), """{ "chanels": 3 }""");
        var network = Path.Combine(Golden.Folder, "metrics", "scripted_features", "features.pt");
        string[] command = ["evaluate", "--images", "digits", "--reference", "others", "--features", network, "--figures", "frechet", "kernel", "--cache", "cache", "--out", "script.json"];
        Assert.Equal(0, _app.Run(command).ExitCode);
        using var plain = Metrics("script.json");
        var asked = _app.Run([.. command, "--features-options", "rgb.json"]);
        Assert.True(asked.ExitCode == 0, asked.Output + asked.Error);
        using var options = Metrics("script.json");
        Assert.StartsWith("script-", plain.RootElement.GetProperty("features").GetString(), StringComparison.Ordinal);
        Assert.EndsWith(" 3 channels x 0.5", options.RootElement.GetProperty("features").GetString(), StringComparison.Ordinal);
        Assert.NotEqual(Figure(plain, "frechetDistance").GetProperty("value").GetDouble(), Figure(options, "frechetDistance").GetProperty("value").GetDouble());
        var wrong = _app.Run([.. command, "--features-options", "wrong.json"]);
        Assert.Equal(2, wrong.ExitCode);
        Assert.Contains("'chanels'", wrong.Error, StringComparison.Ordinal);
    }

    /// <summary>A network that diverged draws NaN: that is said, and nothing is measured.</summary>
    [Fact]
    public void Checkpoint_OfANetworkThatDiverged_SaysSo()
    {
        Directory.CreateDirectory(_app.At("diverged"));
        File.Copy(_app.At("out/config.json"), _app.At("diverged/config.json"));
        using (var weights = Safetensors.Load(_app.At("out/ema.safetensors")))
        {
            foreach (var tensor in weights.Values)
            {
                tensor.fill_(float.NaN);
            }

            Safetensors.Save(_app.At("diverged/ema.safetensors"), weights, Safetensors.ReadMetadata(_app.At("out/ema.safetensors")));
        }

        var run = _app.Run($"evaluate --checkpoint diverged --count 8 --steps 2 --figures frechet {Common} --out diverged".Split(' '));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("among images 0 to 3 the network draws values that are no finite numbers; there is nothing to measure", run.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(_app.At("diverged/metrics.json")));
    }

    [Theory]
    [InlineData("", "either --checkpoint, to draw with a network, or --images")]
    [InlineData("--checkpoint out --images digits", "either --checkpoint")]
    [InlineData("--images digits", "--images needs --reference")]
    [InlineData("--images digits --reference digits", "--features: digits, textures")]
    [InlineData("--images absent --reference digits --features digits", "there is no file or folder 'absent'")]
    [InlineData("--images digits --reference absent --features digits", "it is 'absent'")]
    [InlineData("--images digits --reference digits --features inception", "there is no file 'inception'")]
    [InlineData("--images digits --reference digits --features digits --count 3", "--count has no use here")]
    [InlineData("--images digits --reference digits --features digits --figures fid", "one is 'fid'")]
    [InlineData("--images digits --reference digits --features digits --figures nearest", "NearestImages needs training images")]
    [InlineData("--images digits --reference digits --features digits --held-back", "--held-back has no use here")]
    [InlineData("--images three --reference digits --features digits", "at least 6 images of either set; there are 3")]
    [InlineData("--checkpoint out --count 0", "--count must be at least 1")]
    [InlineData("--checkpoint out --label 7", "images of one class cannot be compared with those of all")]
    [InlineData("--checkpoint out --likelihood 100000", "--likelihood must be at most")]
    [InlineData("--checkpoint out --keep digits --reference digits --features digits", "--keep: '")]
    [InlineData("--checkpoint out --reference digits --features digits --features-options o.json", "--features-options has no use here")]
    [InlineData("--images digits --reference digits --features digits --figures kernel --cache c", "--cache has no use here: --figures asks for none")]
    [InlineData("--checkpoint out --codec skia", "--codec has no use here: no image file is decoded")]
    public void Run_WrongUsage_SaysWhatIsWrong(string options, string expected)
    {
        var run = _app.Run(["evaluate", .. options.Split(' ', StringSplitOptions.RemoveEmptyEntries)]);
        Assert.True(run.ExitCode == 2, $"exit code {run.ExitCode}\n{run.Output}{run.Error}");
        Assert.DoesNotContain("   at ", run.Error, StringComparison.Ordinal);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void HeldBack_OfARunThatWasTrainedOnThem_IsRefused()
    {
        File.WriteAllText(_app.At("all.json"), File.ReadAllText(_app.At("run.json")).Replace("\"limit\": 200", "\"limit\": 56000", StringComparison.Ordinal));
        Done("train --config all.json --out all");
        var run = _app.Run("evaluate", "--checkpoint", "all", "--held-back", "--count", "10");
        Assert.Equal(2, run.ExitCode);
        Assert.Contains("trained on 56000 images", run.Error, StringComparison.Ordinal);
        Assert.Contains("data.limit 55000", run.Error, StringComparison.Ordinal);
    }

    /// <summary>An image that is measured is not resized, and a coloured one does not become grey.</summary>
    [Theory]
    [InlineData("large", "it has 30×28 pixels, and 28×28 are needed")]
    [InlineData("coloured", "it has colours, and a grey image is needed")]
    public void Images_OfAnotherShape_AreRefused(string folder, string expected)
    {
        var image = folder == "large" ? new PixelImage(30, 28, 1, new byte[30 * 28]) : new PixelImage(28, 28, 3, [.. Enumerable.Range(0, 3 * 28 * 28).Select(i => (byte)(i % 3))]);
        ImageFile.Save(_app.At($"{folder}/odd.png"), image);
        var run = _app.Run($"evaluate --images {folder} {Common}".Split(' '));
        Assert.Equal(1, run.ExitCode);
        Assert.Contains("odd.png", run.Error, StringComparison.Ordinal);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    private string Done(string command)
    {
        var run = _app.Run(command.Split(' ', StringSplitOptions.RemoveEmptyEntries));
        Assert.True(run.ExitCode == 0, run.Output + run.Error);
        return run.Output;
    }

    private JsonDocument Metrics(string file) => JsonDocument.Parse(File.ReadAllText(_app.At(file)));

    private static JsonElement Figure(JsonDocument metrics, string name) => metrics.RootElement.GetProperty("figures").EnumerateArray().Single(figure => figure.GetProperty("name").GetString() == name);

    private static void Near(JsonElement expected, JsonElement actual, double share)
    {
        var value = expected.GetProperty("value").GetDouble();
        Assert.Equal(value, actual.GetProperty("value").GetDouble(), share * Math.Max(1e-3, Math.Abs(value)));
    }

    /// <summary>A network trained for three steps, with digits in folders by class beside it.</summary>
    public sealed class TrainedRun : IDisposable
    {
        private const int Digits = 40;

        public TrainedRun()
        {
            var model = SampleProcess.Model.Insert(SampleProcess.Model.LastIndexOf('}'), """, "dialect": { "labels": { "classes": 11 } } """);
            var run = App.Run("train", "--config", App.Configure("\"steps\": 3", model));
            Assert.True(run.ExitCode == 0, run.Output + run.Error);
            using var test = Mnist.Open(Path.GetFullPath(Path.Combine(Golden.Folder, "..", "..", "samples", "data", "mnist")), Split.Test);
            Write(test, "digits", 0, Digits);
            Write(test, "others", Digits, Digits);
            Write(test, "three", 0, 3);
        }

        internal SampleProcess App { get; } = new();

        public void Dispose() => App.Dispose();

        private void Write(Mnist images, string folder, int first, int count)
        {
            using var batch = images.Read([.. Enumerable.Range(first, count)]);
            for (var i = 0; i < count; i++)
            {
                using var image = batch.Images[i];
                ImageFile.Save(App.At($"{folder}/{images.Labels[first + i]}/{i}.png"), image);
            }
        }
    }
}
