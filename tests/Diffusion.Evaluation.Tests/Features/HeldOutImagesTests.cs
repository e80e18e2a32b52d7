using Diffusion.Imaging;

namespace Diffusion.Evaluation.Tests;

/// <summary>Training images that are held back, and images that are distorted.</summary>
public sealed class HeldOutImagesTests
{
    private static Mnist Images => Mnist.Open(Path.Combine(Golden.Folder, "..", "..", "samples", "data", "mnist"), Split.Train, limit: 20);

    [Fact]
    public void Split_OfASource_GivesTheFirstAndTheLast()
    {
        using var images = Images;
        var (training, heldOut) = HeldOutImages.Split(images, 5);
        using var expected = images.Read([14, 15, 19]);
        using var last = training.Read([14]);
        using var held = heldOut.Read([0, 4], [1, 2]);

        Assert.Equal((15, 5, 10), (training.Count, heldOut.Count, heldOut.Classes));
        Assert.Equal(images.Labels.Skip(15), heldOut.Labels);
        TensorAssert.Identical(expected.Images[0], last.Images[0], "the last of the training images");
        TensorAssert.Identical(expected.Images[1], held.Images[0], "the first image held back");
        TensorAssert.Identical(expected.Images[2], held.Images[1], "the last image held back");
        Assert.NotEqual(training.Fingerprint["images"], heldOut.Fingerprint["images"]);
        Assert.Throws<ArgumentOutOfRangeException>(() => heldOut.Read([5]));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public void Split_OfTooManyOrNone_IsRefused(int count)
    {
        using var images = Images;
        Assert.Throws<ArgumentOutOfRangeException>(() => HeldOutImages.Split(images, count));
    }

    [Fact]
    public void DistortedImages_OfASeed_AreTheSameInAnyBatch()
    {
        using var images = Images;
        using var distorted = new DistortedImages(images, 1);
        using var plain = images.Read([3, 4]);
        using var batch = distorted.Read([3, 4], [10, 11]);
        using var alone = distorted.Read([4], [11]);
        using var other = distorted.Read([4], [12]);
        using var read = distorted.Read([3, 4]);
        using var none = new DistortedImages(images, 0).Read([3, 4], [10, 11]);

        TensorAssert.Identical(batch.Images[1], alone.Images[0], "an image alone");
        TensorAssert.Identical(plain.Images, read.Images, "images that are read plainly");
        TensorAssert.Identical(plain.Images, none.Images, "images without distortion");
        Assert.True((batch.Images[1] - other.Images[0]).abs().max().item<float>() > 0.1);
        Assert.True((batch.Images - plain.Images).abs().max().item<float>() > 0.1);
        Assert.InRange(batch.Images.mean().item<float>() - plain.Images.mean().item<float>(), -0.1, 0.1); // still a digit's ink
        Assert.InRange(batch.Images.min().item<float>(), -1, 1);
    }
}
