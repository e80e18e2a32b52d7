using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

/// <summary>A program that has set torch's default type, for another model, reads and writes the same images.</summary>
public sealed class DefaultTypeTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Read_FoldersAndAugmentations_GivesTheSameBits()
    {
        for (var i = 0; i < 4; i++)
        {
            _folder.Write($"{(i < 2 ? "cats" : "dogs")}/{i}.png", new PixelImage(9, 8, 3, [.. Enumerable.Range(0, 9 * 8 * 3).Select(k => (byte)((k * (7 + i)) + i))]));
        }

        DefaultTypes.Agree(() =>
        {
            using var images = new AugmentedImages(
                ImageFolder.Open(_folder.Path, new ImageFolderOptions { Height = 8, Width = 8 }), new HorizontalFlip(), new VerticalFlip(), new QuarterTurns(), new RandomCrop(7, 7), new RandomResizedCrop(6, 6, 0.3), new CenterCrop(4, 4));
            var batch = images.Read([3, 0, 2], [4, 5, 6]);
            var pixels = PixelTensor.FromFloat(batch.Images, "images");
            return new() { ["images"] = batch.Images, ["labels"] = batch.Labels!, ["pixels"] = tensor(pixels.SelectMany(image => image.Pixels.ToArray()).ToArray()) };
        });
    }

    [Fact]
    public void Fit_WithPreviews_WritesTheSamePictures() => DefaultTypes.Agree(() =>
    {
        using var network = new GreyNetwork();
        using var images = new NoiseImages();
        using var trainer = new Trainer(network, NoiseSchedule.Linear(), new TrainerOptions { Steps = 2, BatchSize = 2 });
        trainer.Observers.Add(new PreviewImages(_folder.Path, Sampler.Create("ddim", 3), new PreviewOptions { Every = 2, Count = 4 }));
        trainer.Fit(images);
        return Directory.GetFiles(_folder.Path, "*.png").ToDictionary(path => Path.GetFileName(path)!, path => tensor(File.ReadAllBytes(path)));
    });

    public void Dispose() => _folder.Dispose();
}
