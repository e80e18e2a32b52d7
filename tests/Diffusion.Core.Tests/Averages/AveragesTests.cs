using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class AveragesTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly MemoryImages _images = new();

    [Fact]
    public void DecayAt_HalfLife_HalvesOldWeightsOverItsImages()
    {
        var options = new EmaOptions { HalfLife = 640, HalfLifeRampUp = 0 };
        Assert.Equal(0.5, Enumerable.Range(0, 10).Aggregate(1.0, (share, update) => share * options.DecayAt(update, 64)), 1e-12);

        // Updates that are fewer count more images each.
        Assert.Equal(0.5, (options with { Every = 10 }).DecayAt(0, 64), 1e-12);

        // With the ramp the half-life is a share of the images seen: none before the first update, 0.05·6400 = 320 before update 100.
        var ramped = new EmaOptions { HalfLife = 640 };
        Assert.Equal(0, ramped.DecayAt(0, 64));
        Assert.Equal(Math.Pow(0.5, 64 / 320.0), ramped.DecayAt(100, 64), 1e-12);
        Assert.Equal(Math.Pow(0.5, 64 / 640.0), ramped.DecayAt(100_000, 64), 1e-12);
    }

    [Theory]
    [InlineData(0.05, 16.97)] // the exponents that the paper gives for these widths
    [InlineData(0.10, 6.94)]
    public void OfWidth_WidthsOfThePaper_GiveItsExponents(double width, double gamma)
    {
        var profile = PowerFunction.OfWidth(width);
        Assert.Equal(gamma, profile.Gamma, 0.01);
        Assert.Equal(width, profile.Width, 1e-9);
    }

    [Fact]
    public void DecayAt_PowerFunction_WeighsStepsByThePower()
    {
        const int Steps = 2000;
        var options = new EmaOptions { RelativeWidth = 0.1 };
        var shares = new double[Steps];
        for (var update = 0; update < Steps; update++)
        {
            var decay = options.DecayAt(update);
            for (var i = 0; i < update; i++)
            {
                shares[i] *= decay;
            }

            shares[update] = 1 - decay;
        }

        var profile = PowerFunction.OfWidth(0.1);
        Assert.Equal(1, shares.Sum(), 1e-12);
        var mean = shares.Select((share, i) => share * (i + 0.5) / Steps).Sum();
        var deviation = Math.Sqrt(shares.Select((share, i) => share * Math.Pow(((i + 0.5) / Steps) - mean, 2)).Sum());
        Assert.Equal(0.1, deviation, 1e-3);
        Assert.Equal((profile.Gamma + 1) / (profile.Gamma + 2), mean, 1e-3);
    }

    [Fact]
    public void Trainer_SeveralAverages_AreWhatEachAloneWouldBe()
    {
        var half = new EmaOptions { HalfLife = 100 };
        var none = new EmaOptions { Decay = 0 };
        using var several = Trained(new EmaOptions { Decay = 0.9, Others = [half, none] });
        using var noisy = zeros(2, 1, 4, 4);
        var level = new LinearNoiseSchedule().LevelAt(500);
        foreach (var (options, index) in new[] { (new EmaOptions { Decay = 0.9 }, 0), (half, 1), (none, 2) })
        {
            using var alone = Trained(options);
            using var expected = alone.Ema.Denoise(noisy, level);
            using var actual = several.Averages[index].Denoise(noisy, level);
            TensorAssert.Identical(expected, actual, $"average {index}");
        }

        using var plain = several.Denoiser.Denoise(noisy, level);
        using var after = several.Denoiser.Denoise(noisy, level);
        TensorAssert.Identical(plain, after, "the weights are back");
        Assert.Equal(3, several.Averages.Count);
        Assert.Same(several.Ema, several.Averages[0]);
        several.Export(_folder.Path);
        using var exported = Safetensors.Load(_folder.At("ema-2.safetensors"));
        using var model = Safetensors.Load(_folder.At(Checkpoint.ModelFile));
        TensorAssert.Identical(model, exported);
    }

    [Fact]
    public void Resume_SeveralAverages_EndsWithTheSameBits()
    {
        var ema = new EmaOptions { RelativeWidth = 0.05, Others = [new EmaOptions { RelativeWidth = 0.1 }] };
        using var whole = Trained(ema, folder: "whole", snapshotEvery: 12);
        using (var part = Trained(ema, folder: "parts", stopAfter: 17, snapshotEvery: 12))
        {
            Assert.Equal(17, part.StepsDone);
        }

        using var rest = New(ema, "parts", 12);
        Assert.True(rest.Resume(_folder.At("parts")));
        rest.Fit(_images);
        Assert.Equal(Checkpoint.Newest(_folder.At("whole"))!.Manifest.Files, Checkpoint.Newest(_folder.At("parts"))!.Manifest.Files);
        foreach (var file in Directory.GetFiles(_folder.At("whole/averages")))
        {
            Assert.Equal(File.ReadAllBytes(file), File.ReadAllBytes(_folder.At($"parts/averages/{Path.GetFileName(file)}")));
        }

        using var other = New(new EmaOptions { RelativeWidth = 0.05, Others = [new EmaOptions(), new EmaOptions()] }, "parts", null);
        Assert.Contains("lacks ema-2.safetensors", Assert.Throws<InvalidDataException>(() => other.Resume(_folder.At("parts"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0.07)]
    [InlineData(0.15)]
    public void Reconstruct_OtherWidth_ComesNearTheAverageThatWasKept(double width)
    {
        var ema = new EmaOptions { RelativeWidth = 0.05, Others = [new EmaOptions { RelativeWidth = 0.1 }, new EmaOptions { RelativeWidth = width }] };
        var errors = new List<double>();
        foreach (var every in new[] { 40, 10 })
        {
            var folder = $"every-{every}";
            using var trainer = Trained(ema, folder, steps: 400, snapshotEvery: every);
            foreach (var kept in Directory.GetFiles(_folder.At($"{folder}/averages"), "*.ema-2.safetensors"))
            {
                File.Delete(kept); // not to be put together from itself
            }

            trainer.Export(_folder.At(folder));
            using var expected = Safetensors.Load(_folder.At($"{folder}/ema-2.safetensors"));
            using var raw = Safetensors.Load(_folder.At($"{folder}/{Checkpoint.ModelFile}"));
            using var reconstructed = PostHocEma.Open(_folder.At(folder)).Reconstruct(width);
            errors.Add(Distance(expected, reconstructed) / Distance(expected, raw));
        }

        Assert.True(errors[1] < 0.02 && errors[1] < errors[0], string.Join(", ", errors));
    }

    [Fact]
    public void Reconstruct_WidthOfASnapshot_IsTheSnapshot()
    {
        var ema = new EmaOptions { RelativeWidth = 0.05, Others = [new EmaOptions { RelativeWidth = 0.1 }] };
        using var trainer = Trained(ema, "run", steps: 60, snapshotEvery: 10);
        var averages = PostHocEma.Open(_folder.At("run"));
        Assert.Equal(12, averages.Snapshots.Count);
        using var middle = averages.Reconstruct(0.1, step: 30);
        using var snapshot = Safetensors.Load(_folder.At("run/averages/step-00000030.ema-1.safetensors"));
        Assert.True(Distance(snapshot, middle) < 1e-5);
        Assert.Contains("(0, 0.28]", Assert.Throws<ArgumentOutOfRangeException>(() => averages.Reconstruct(0.5)).Message, StringComparison.Ordinal);
        Assert.Contains("step 10", Assert.Throws<ArgumentOutOfRangeException>(() => averages.Reconstruct(0.1, 5)).Message, StringComparison.Ordinal);
        Assert.Contains("SnapshotEvery", Assert.Throws<InvalidDataException>(() => PostHocEma.Open(_folder.At("nowhere"))).Message, StringComparison.Ordinal);
    }

    /// <summary>The average of what is the same in every snapshot is it, whatever the width and however few snapshots there are.</summary>
    [Theory]
    [InlineData(0.07)]
    [InlineData(0.15)]
    public void Coefficients_OfTwoSnapshots_HaveTheSumOne(double width)
    {
        var coefficients = PostHocEma.Coefficients([(PowerFunction.OfWidth(0.05), 100), (PowerFunction.OfWidth(0.1), 100)], PowerFunction.OfWidth(width), 100);
        Assert.Equal(1, coefficients.Sum(), 1e-12);
        Assert.Contains("different widths", Assert.Throws<InvalidOperationException>(() => PostHocEma.Coefficients([(PowerFunction.OfWidth(0.1), 100), (PowerFunction.OfWidth(0.1), 100)], PowerFunction.OfWidth(width), 100)).Message, StringComparison.Ordinal);
    }

    /// <summary>A checkpoint before the first step is none of an average.</summary>
    [Fact]
    public void Save_BeforeTheFirstStep_MakesNoSnapshot()
    {
        using var trainer = New(new EmaOptions { RelativeWidth = 0.05, Others = [new EmaOptions { RelativeWidth = 0.1 }] }, "run", snapshotEvery: 10);
        trainer.Save(_folder.At("run"));
        trainer.Fit(_images);
        Assert.Equal([10, 10, 20, 20, 30, 30, 40, 40], PostHocEma.Open(_folder.At("run")).Snapshots.Select(each => each.Step));
    }

    [Fact]
    public void Validate_FormsThatExcludeEachOther_AreNamed()
    {
        var errors = new EmaOptions
        {
            Power = 0.75, HalfLife = -1, HalfLifeRampUp = -1, RelativeWidth = 0.5, Others = [new EmaOptions { Decay = 2, Others = [new EmaOptions()] }],
        }.Validate().Select(error => error.ToString()).ToList();
        foreach (var part in new[] { "HalfLife: ", "HalfLifeRampUp: ", "RelativeWidth: ", "Power: and HalfLife and RelativeWidth exclude each other", "Others[0].Decay", "Others[0].Others: must be empty" })
        {
            Assert.Contains(errors, error => error.Contains(part, StringComparison.Ordinal));
        }
    }

    [Fact]
    public void Validate_SnapshotsWithoutAnAverageToSnapshot_IsAMistake()
    {
        var errors = new TrainerOptions { Checkpoints = new() { SnapshotEvery = 10 } }.Validate().ToList();
        Assert.Contains("Checkpoints.SnapshotEvery: is for averages with a RelativeWidth", Assert.Single(errors).ToString(), StringComparison.Ordinal);
    }

    public void Dispose()
    {
        _images.Dispose();
        _folder.Dispose();
    }

    private static double Distance(TensorDictionary one, TensorDictionary other)
    {
        using var scope = NewDisposeScope();
        return Math.Sqrt(one.Sum(entry => (entry.Value - other[entry.Key]).square().sum().item<float>()));
    }

    private Trainer Trained(EmaOptions ema, string? folder = null, int? stopAfter = null, int steps = 40, int? snapshotEvery = null)
    {
        var trainer = New(ema, folder, snapshotEvery, steps);
        trainer.Fit(_images, stopAfter: stopAfter);
        return trainer;
    }

    private Trainer New(EmaOptions ema, string? folder, int? snapshotEvery, int steps = 40) => new(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions
    {
        Steps = steps, BatchSize = 8, LearningRate = 1e-2, Ema = ema,
        Checkpoints = new() { Folder = folder is null ? null : _folder.At(folder), Every = 1000, SnapshotEvery = snapshotEvery },
    });
}
