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
        using var images = new AugmentedImages(new BoxImages(100), new Darker(), Augmentation.HorizontalFlip());
        var options = new TrainerOptions { Steps = 60, BatchSize = 16, LearningRate = 1e-2, Loader = new LoaderOptions { Order = ImageOrder.ClassBalanced } };
        using var trainer = new Trainer(unet, NoiseSchedule.Linear(), options, nullCondition: Condition.OfLabels(2));
        var losses = trainer.Steps(images).Select(step => step.Loss).ToList();
        Assert.True(losses[^10..].Average() < 0.7 * losses[..3].Average(), $"{losses[0]} → {losses[^1]}");
    }
}
