using Diffusion.Imaging;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks.Tests;

/// <summary>The features of images.</summary>
public sealed class RandomFeaturesTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Of_TheSameSeed_Repeats()
    {
        var images = Digits(0, 20);
        using RandomFeatures first = new(1), again = new(1), other = new(1, seed: 1);

        var features = first.Of(images);

        Assert.Equal([20, RandomFeatures.Count], features.shape);
        Assert.True(features.equal(again.Of(images)).all().item<bool>());
        Assert.False(features.allclose(other.Of(images)));
    }

    [Fact]
    public void Of_MoreImagesThanABatch_IsThatOfEachImage()
    {
        var images = Digits(0, 300);
        using var features = new RandomFeatures(1);
        TensorAssert.Close(features.Of(images.narrow(0, 250, 50)), features.Of(images).narrow(0, 250, 50), 1e-12, 1e-12, "features");
    }

    [Fact]
    public void Of_DigitsAndNoise_AreFarApart()
    {
        using var features = new RandomFeatures(1);
        using var generator = new Generator(1, CPU);
        var noise = randn([200, 1, 28, 28], generator: generator).clamp(-1, 1);
        var digits = features.Of(Digits(0, 200));

        var alike = FrechetDistance.Between(digits, features.Of(Digits(200, 200)));

        Assert.True(FrechetDistance.Between(digits, features.Of(noise)) > 20 * alike);
    }

    /// <summary>What a sampler that stops early leaves: a tenth of noise.</summary>
    [Fact]
    public void Of_DigitsWithSomeNoise_AreFartherThanDigits()
    {
        using var features = new RandomFeatures(1);
        using var generator = new Generator(2, CPU);
        var (digits, others) = (features.Of(Digits(0, 200)), Digits(200, 200));
        var noisy = (others + (0.1 * randn(others.shape, generator: generator))).clamp(-1, 1);

        Assert.True(FrechetDistance.Between(digits, features.Of(noisy)) > 1.5 * FrechetDistance.Between(digits, features.Of(others)));
    }

    private static Tensor Digits(int first, int count)
    {
        using var mnist = Mnist.Open(Path.Combine(Golden.Folder, "..", "..", "samples", "data", "mnist"), Split.Test);
        using var batch = mnist.Read([.. Enumerable.Range(first, count)]);
        return batch.Images.clone();
    }
}
