using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class ImageLimitTests
{
    private static readonly NoiseLevel Level = new(0.8, 0.6, 100);

    [Theory]
    [InlineData("diffusers_schedulers/ddpm_thresholding")]
    [InlineData("diffusers_schedulers/ddim_thresholding")]
    public void Dynamic_ScheduleStepsOfAPeer_EqualsTheRecordedImages(string name)
    {
        using var golden = Golden.Case(name);
        var config = golden.Json.GetProperty("full_config");
        var schedule = new LinearNoiseSchedule(1000);
        var limit = ImageLimit.Dynamic(config.GetProperty("dynamic_thresholding_ratio").GetDouble(), config.GetProperty("sample_max_value").GetDouble());
        var timesteps = golden["timesteps"].data<long>().ToArray();
        for (var i = 0; i < timesteps.Length; i++)
        {
            using var scope = NewDisposeScope();
            var level = schedule.LevelAt((int)timesteps[i]);
            var noisy = golden["samples"][i];
            var predicted = new FixedDenoiser(Parameterization.Epsilon.ToImage(noisy, golden["model_outputs"][i], [level]), schedule: schedule);
            TensorAssert.Close(golden["pred_original"][i], predicted.Limited(limit).Denoise(noisy, level), 5e-6, 5e-6, $"x̂₀ of step {i}");
        }
    }

    [Theory]
    [InlineData(0.995, 2)]
    [InlineData(0.5, double.PositiveInfinity)]
    [InlineData(0.01, 3)]
    [InlineData(1, double.PositiveInfinity)]
    [InlineData(0.9, 1)]
    public void Dynamic_AnyQuantile_IsTheDefinition(double ratio, double max)
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(3, 4, 3, 5, 7) * tensor(new[] { 0.2f, 1, 3, 40 }).view(4, 1, 1, 1);
        var limited = ImageLimit.Dynamic(ratio, max).Apply(images);
        for (var i = 0; i < 4; i++)
        {
            var values = images[i].flatten().data<float>().ToArray();
            var order = values.Select(value => (double)Math.Abs(value)).Order().ToArray();
            var rank = ratio * (order.Length - 1);
            var (below, above) = (order[(int)Math.Floor(rank)], order[(int)Math.Ceiling(rank)]);
            var threshold = Math.Clamp(below + ((above - below) * (rank - Math.Floor(rank))), 1, max);
            using var expected = tensor(values.Select(value => Math.Clamp(value, -threshold, threshold) / threshold).ToArray(), ScalarType.Float64).view(3, 5, 7);
            TensorAssert.Close(expected, limited[i], 1e-6, 1e-6, $"image {i}");
        }
    }

    [Fact]
    public void Dynamic_ImageInRangeOrOneValue_IsNotChanged()
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(3, 4, 3, 5, 7).clamp(-1, 1);
        TensorAssert.Identical(images, ImageLimit.Dynamic(0.995, 5).Apply(images), "in range");
        TensorAssert.Close(tensor(new[] { 1f, -0.5f }).view(2, 1, 1, 1), ImageLimit.Dynamic(0.995, 5).Apply(tensor(new[] { 3f, -0.5f }).view(2, 1, 1, 1)), 1e-7, 0, "one value");
    }

    [Theory]
    [InlineData(ScalarType.Float16, 2e-3)]
    [InlineData(ScalarType.BFloat16, 1e-2)]
    [InlineData(ScalarType.Float64, 1e-6)]
    public void Dynamic_OtherTypes_KeepsTheType(ScalarType type, double tolerance)
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(3, 2, 3, 5, 7) * 2;
        var limited = ImageLimit.Dynamic(0.9, 5).Apply(images.to(type));
        Assert.Equal(type, limited.dtype);
        TensorAssert.Close(ImageLimit.Dynamic(0.9, 5).Apply(images), limited, tolerance, tolerance, "image");
    }

    [Fact]
    public void Apply_NoneOrClip_DoesWhatItSays()
    {
        using var scope = NewDisposeScope();
        var images = Normal.Of(3, 2, 3, 5, 7) * 2;
        TensorAssert.Identical(images, ImageLimit.None.Apply(images), "none");
        TensorAssert.Identical(images.clamp(-1, 1), ImageLimit.Clip().Apply(images), "clip");
        TensorAssert.Identical(images.clamp(-0.5, 0.5), ImageLimit.Clip(0.5).Apply(images), "clip to 0.5");
        TensorAssert.Identical(images.clamp(-1, 1), ImageLimit.Dynamic().Apply(images), "dynamic with its bound of 1");
    }

    [Fact]
    public void Limited_EveryLimit_PassesTheVarianceOnAndLeavesNothingBehind()
    {
        using var images = Normal.Of(3, 2, 3, 5, 7);
        using var variance = Normal.Of(4, 2, 3, 5, 7);
        Leaks.None(() =>
        {
            foreach (var limit in new[] { ImageLimit.None, ImageLimit.Clip(), ImageLimit.Dynamic(0.9, 4), new Halved() })
            {
                using var prediction = new FixedDenoiser(images, variance).Limited(limit).Predict(images, Level);
                var (image, itsVariance) = prediction;
                using var expected = limit.Apply(images);
                TensorAssert.Identical(expected, image, limit.ToString()!);
                TensorAssert.Identical(variance, itsVariance!, "variance");
                using var same = new FixedDenoiser(images, variance).Limited(limit).Denoise(images, Level);
                TensorAssert.Identical(image, same, limit.ToString()!);
                TensorAssert.Identical(images, prediction.Unlimited ?? image, "as predicted");
            }
        });
    }

    [Fact]
    public void Create_BadArguments_AreRefused()
    {
        foreach (var bad in new[] { 0, -1, double.NaN, double.PositiveInfinity })
        {
            Assert.Throws<ArgumentOutOfRangeException>(() => ImageLimit.Clip(bad));
        }

        Assert.Equal("ratio", Assert.Throws<ArgumentOutOfRangeException>(() => ImageLimit.Dynamic(0)).ParamName);
        Assert.Equal("ratio", Assert.Throws<ArgumentOutOfRangeException>(() => ImageLimit.Dynamic(1.1)).ParamName);
        Assert.Equal("max", Assert.Throws<ArgumentOutOfRangeException>(() => ImageLimit.Dynamic(0.9, 0.9)).ParamName);
        Assert.Equal("max", Assert.Throws<ArgumentOutOfRangeException>(() => ImageLimit.Dynamic(0.9, double.NaN)).ParamName);
        using var image = zeros(1, 1, 2, 2);
        Assert.Throws<ArgumentNullException>(() => new FixedDenoiser(image).Limited(null!));
    }

    [Fact]
    public void Limited_LimitThatReturnsItsArgument_IsSampledLikeNone()
    {
        using var scope = NewDisposeScope();
        var denoiser = new GaussianDenoiser(new LinearNoiseSchedule());
        var expected = new EulerSampler(5).Sample(denoiser, [1, 1, 4, 4], seed: 1);
        TensorAssert.Identical(expected, new EulerSampler(5).Sample(denoiser.Limited(new Same()), [1, 1, 4, 4], seed: 1), "images");
    }

    [Fact]
    public void Predict_LimitOrGradientThrows_LeavesNoTensorBehind()
    {
        using var images = Normal.Of(3, 2, 3, 5, 7);
        using var variance = Normal.Of(4, 2, 3, 5, 7);
        var inner = new FixedDenoiser(images, variance);
        Leaks.None(() =>
        {
            Assert.Throws<InvalidDataException>(() => inner.Limited(new Throwing()).Predict(images, Level));
            Assert.Throws<InvalidDataException>(() => inner.ClassifierGuided((_, _) => throw new InvalidDataException(), 1).Predict(images, Level));
        });
    }

    private sealed class Same : ImageLimit
    {
        public override Tensor Apply(Tensor image) => image;
    }

    private sealed class Throwing : ImageLimit
    {
        public override Tensor Apply(Tensor image) => throw new InvalidDataException();
    }

    private sealed class Halved : ImageLimit
    {
        public override Tensor Apply(Tensor image) => image * 0.5;
    }
}
