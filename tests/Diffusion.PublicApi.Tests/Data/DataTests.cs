using Diffusion.Imaging;
using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.PublicApi.Tests;

/// <summary>The examples of docs/data.md, used with what the library brings.</summary>
public sealed class DataTests
{
    [Fact]
    public void Document_EveryExample_IsTheCompiledFile()
    {
        var repository = Path.GetDirectoryName(Path.GetDirectoryName(Golden.Folder))!;
        var document = File.ReadAllText(Path.Combine(repository, "docs", "data.md")).ReplaceLineEndings("\n");
        foreach (var name in new[] { nameof(BoxImages), nameof(Darker) })
        {
            var code = File.ReadAllText(Path.Combine(repository, "tests", "Diffusion.PublicApi.Tests", "Data", $"{name}.cs")).ReplaceLineEndings("\n");
            Assert.Contains(code[code.IndexOf("/// <summary>", StringComparison.Ordinal)..].Trim(), document, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Fit_SourceAndAugmentationFromOutside_TrainByLabelInBalance()
    {
        using var unet = UNetBuilder.From(new UNetOptions
        {
            Image = new ImageShape(1, 16, 16),
            Down = [new DownBlockOptions { Channels = 8, Layers = 1 }],
            Mid = [new MidBlockOptions { Channels = 8, Layers = 1 }],
            TimeDimension = 16,
            Dialect = new UNetDialect { Labels = new LabelOptions { Classes = 3 } },
        }).Build(seed: 1);
        using var images = new AugmentedImages(new BoxImages(100), new Darker(), new HorizontalFlip());
        var options = new TrainerOptions { Steps = 60, BatchSize = 16, LearningRate = 1e-2, Loader = new LoaderOptions { Order = ImageOrder.ClassBalanced } };
        using var trainer = new Trainer(unet, new LinearNoiseSchedule(), options, nullCondition: Condition.OfLabels(2));
        var losses = trainer.Steps(images).Select(step => step.Loss).ToList();
        Assert.True(losses[^10..].Average() < 0.7 * losses[..3].Average(), $"{losses[0]} → {losses[^1]}");
    }

    [Fact]
    public void Read_LoaderOfOnesOwnLoop_IsAFunctionOfTheSeedAndTheStep()
    {
        using var images = new AugmentedImages(new BoxImages(100), new Darker());
        using var loader = new BatchLoader(images, batchSize: 8, seed: 7, steps: 20, new LoaderOptions { Order = ImageOrder.ClassBalanced });
        using var early = loader.Read(5);
        using var between = loader.Read(6);
        using var again = loader.Read(5);
        TensorAssert.Identical(early.Images, again.Images, "step 5");
        Assert.Equal(4, early.Labels!.sum().item<long>());
        Assert.True((early.Images - between.Images).abs().max().item<float>() > 0.5);
        using var plain = images.Read([3]);
        Assert.Equal((-1f, 1f), (plain.Images.min().item<float>(), plain.Images.max().item<float>()));
    }
}
