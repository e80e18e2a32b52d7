using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class AutoGuidanceTests
{
    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2.4)]
    public void Predict_StrongAndWeak_IsWeakPlusScaleTimesTheirDifference(double scale)
    {
        using var scope = NewDisposeScope();
        using var network = new TinyNetwork(1);
        using var smaller = new TinyNetwork(2);
        var schedule = new LinearNoiseSchedule();
        var strong = new NetworkDenoiser(network, schedule, Parameterization.Velocity);
        var weak = new NetworkDenoiser(smaller, schedule, Parameterization.Flow);
        var noisy = Normal.Of(1, 3, 1, 4, 4);
        foreach (var level in TestLevels.All)
        {
            var (one, two) = (strong.Denoise(noisy, level), weak.Denoise(noisy, level));
            var guided = strong.AutoGuided(weak, scale).Denoise(noisy, level);
            TensorAssert.Close(two + ((one - two) * scale), guided, 1e-5, 1e-5, level.ToString());
            Assert.True(guided.isfinite().all().item<bool>());
        }
    }

    [Fact]
    public void Predict_StrongHasVariance_PassesItOnAndLeavesNothingBehind()
    {
        using var images = Normal.Of(1, 3, 1, 4, 4);
        using var variance = Normal.Of(2, 3, 1, 4, 4);
        var guided = new FixedDenoiser(images, variance).AutoGuided(new FixedDenoiser(variance, images), new GuidanceOptions { Scale = 2, Rescale = 0.3 });
        Leaks.None(() =>
        {
            var (image, itsVariance) = guided.Predict(images, new NoiseLevel(0.6, 0.8, 10));
            TensorAssert.Identical(variance, itsVariance!, "variance");
            image.Dispose();
            itsVariance!.Dispose();
        });
    }

    [Fact]
    public void AutoGuided_OtherSchedules_AreRefused()
    {
        using var image = zeros(1, 1, 4, 4);
        var weak = new FixedDenoiser(image, schedule: new LinearNoiseSchedule(1000, 1e-4, 0.03));
        Assert.Equal("weaker", Assert.Throws<ArgumentException>(() => new FixedDenoiser(image).AutoGuided(weak, 2)).ParamName);
    }
}
