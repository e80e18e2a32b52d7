using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class ClassifierFreeGuidanceTests : IDisposable
{
    private static readonly NoiseLevel Level = new(0.8, 0.6, 100);

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Tensor _noisy = Normal.Of(1, 2, 3, 4, 4);
    private readonly Tensor _conditional = Normal.Of(2, 2, 3, 4, 4) * 0.7 + 0.2;
    private readonly Tensor _unconditional = Normal.Of(3, 2, 3, 4, 4) * 0.5;

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void Predict_OutputsOfAPeer_AreCombinedAsRecorded()
    {
        using var golden = Golden.Case("lucidrains/cfg_combine");
        var combinations = golden.Constructor.GetProperty("combos(cond_scale,rescaled_phi,remove_parallel,keep_frac)");
        for (var i = 0; i < combinations.GetArrayLength(); i++)
        {
            var c = combinations[i];
            var options = new GuidanceOptions
            {
                Scale = c[0].GetDouble(),
                Rescale = c[1].GetDouble(),
                Eta = c[2].GetBoolean() ? c[3].GetDouble() : 1,
            };
            var guided = new FixedDenoiser(golden["cond"]).AutoGuided(new FixedDenoiser(golden["uncond"]), options);
            TensorAssert.Close(golden[$"out.{i}"], guided.Denoise(golden["cond"], Level), 2e-6, 2e-6, $"combination {i}");
        }
    }

    /// <summary>Measured in the space of a parameterization, guidance is what the peer's formula makes of outputs of the network.</summary>
    [Theory]
    [InlineData("epsilon", 3, 0.7, 1)]
    [InlineData("velocity", 7.5, 1, 0)]
    [InlineData("flow", 0, 0.4, 0.3)]
    [InlineData("karras", -2, 0.2, 0.5)]
    [InlineData("image", 2, 0.5, 0.5)]
    public void Predict_InTheSpaceOfTheNetwork_EqualsTheCombinationOfOutputs(string name, double scale, double rescale, double keep)
    {
        var space = Parameterization.All.Single(each => each.Name == name);
        var options = new GuidanceOptions { Scale = scale, Rescale = rescale, Eta = keep, Space = space };
        foreach (var level in TestLevels.WithImage.Where(level => level.Sigma is > 0.01 and < 10))
        {
            var (one, two) = (Images(_conditional), Images(_unconditional));
            var expected = Images(Combine(_conditional.to(ScalarType.Float64), _unconditional.to(ScalarType.Float64)));
            var guided = new FixedDenoiser(one).AutoGuided(new FixedDenoiser(two), options);
            TensorAssert.Close(expected, guided.Denoise(_noisy, level), 2e-5, 2e-5, $"{name} at {level}");

            Tensor Images(Tensor output) => space.ToImage(_noisy.to(output.dtype), output, [level]);
        }

        Tensor Combine(Tensor better, Tensor worse)
        {
            var images = new List<Tensor>();
            for (var i = 0; i < 2; i++)
            {
                var update = better[i] - worse[i];
                var parallel = better[i] * ((update * better[i]).sum() / (better[i] * better[i]).sum());
                var pushed = better[i] + ((update - parallel + (parallel * keep)) * (scale - 1));
                images.Add((pushed * better[i].std() / pushed.std() * rescale) + (pushed * (1 - rescale)));
            }

            return stack(images);
        }
    }

    [Fact]
    public void Predict_EveryParameterizationWithoutRescale_CombinesOutputsAndImagesAlike()
    {
        foreach (var parameterization in Parameterization.All)
        {
            using var network = new LabelNetwork();
            var denoiser = new NetworkDenoiser(network, new LinearNoiseSchedule(), parameterization, nullCondition: Condition.OfLabels(4));
            var input = parameterization.ToInput(_noisy, [Level]);
            var output = (input * 0.5) + 0.6 + (3 * (-0.15 - 0.6)); // label 1 is −0.15, label 4 is 0.6
            var expected = parameterization.ToImage(_noisy, output, [Level]);
            TensorAssert.Close(expected, denoiser.With(1).Guided(3).Denoise(_noisy, Level), 5e-6, 5e-6, parameterization.Name);
        }
    }

    [Fact]
    public void Predict_LabelsOfOneNetwork_CallsItOnceOnADoubledBatch()
    {
        using var network = new LabelNetwork(variance: true);
        var denoiser = new NetworkDenoiser(network, new LinearNoiseSchedule(), Parameterization.Velocity, nullCondition: Condition.OfLabels(4));
        var (image, variance) = denoiser.With(2, 3).Guided(2.5).Predict(_noisy, Level);
        Assert.Equal([2, 3, 4, 4], Assert.Single(network.Labels));

        var (conditional, itsVariance) = denoiser.With(2, 3).Predict(_noisy, Level);
        var unconditional = denoiser.Denoise(_noisy, Level);
        TensorAssert.Close(unconditional + ((conditional - unconditional) * 2.5), image, 2e-6, 2e-6, "image");
        TensorAssert.Identical(itsVariance!, variance!, "variance");
    }

    [Theory]
    [InlineData(1, new long[] { 2, 3 })]
    [InlineData(0, new long[] { 4, 4 })]
    public void Predict_ScaleOneOrZero_CallsOneHalf(double scale, long[] labels)
    {
        using var network = new LabelNetwork();
        var denoiser = new NetworkDenoiser(network, new LinearNoiseSchedule(), nullCondition: Condition.OfLabels(4));
        var image = denoiser.With(2, 3).Guided(scale).Denoise(_noisy, Level);
        Assert.Equal(labels, Assert.Single(network.Labels));
        TensorAssert.Identical(denoiser.With(labels).Denoise(_noisy, Level), image, "image");
    }

    [Fact]
    public void Predict_OutsideOfTheInterval_IsTheConditionalAlone()
    {
        var (conditional, unconditional) = (new FixedDenoiser(_conditional), new FixedDenoiser(_unconditional));
        var guided = conditional.AutoGuided(unconditional, new GuidanceOptions { Scale = 4, SigmaMin = 0.75, SigmaMax = 3 });
        foreach (var (level, inside) in new (NoiseLevel, bool)[] { (Level, false), (new(1, 0.76, 3), true), (new(0.5, 1.5, 3), true), (new(1, 3.01, 3), false), (new(0, 1, 9), false) })
        {
            var before = unconditional.Calls;
            var image = guided.Denoise(_noisy, level);
            Assert.Equal(inside, unconditional.Calls > before);
            Assert.Equal(!inside, image.allclose(_conditional, 0, 0));
        }
    }

    [Fact]
    public void Predict_OutsideOfTheInterval_CallsTheNetworkForTheConditionalHalfAlone()
    {
        using var network = new LabelNetwork();
        var guided = new NetworkDenoiser(network, new LinearNoiseSchedule(), nullCondition: Condition.OfLabels(4)).With(2, 3).Guided(new GuidanceOptions { Scale = 4, SigmaMin = 0.75, SigmaMax = 3 });
        foreach (var level in new NoiseLevel[] { new(1, 3.01, 9), new(1, 3, 8), new(0.5, 0.4, 3), new(1, 0.75, 2), new(1, 0.1, 1) })
        {
            guided.Denoise(_noisy, level).Dispose();
        }

        Assert.Equal([[2, 3], [2, 3, 4, 4], [2, 3, 4, 4], [2, 3], [2, 3]], network.Labels);
    }

    [Fact]
    public void Predict_EveryLevelAndOption_IsFinite()
    {
        foreach (var level in TestLevels.All)
        {
            foreach (var space in Parameterization.All)
            {
                var options = new GuidanceOptions { Scale = 7.5, Rescale = 0.7, Eta = 0.1, Space = space };
                var guided = new FixedDenoiser(_conditional).AutoGuided(new FixedDenoiser(_unconditional), options);
                Assert.True(guided.Denoise(_noisy, level).isfinite().all().item<bool>(), $"{space} at {level}");
            }
        }
    }

    [Fact]
    public void Predict_ImageWithoutDeviation_StaysFinite()
    {
        var (ones, zero) = (torch.ones(2, 1, 1, 1), zeros(2, 1, 1, 1));
        var options = new GuidanceOptions { Scale = 3, Rescale = 1, Eta = 0 };
        foreach (var (better, worse) in new[] { (ones, zero), (zero, ones), (zero, zero) })
        {
            var image = new FixedDenoiser(better).AutoGuided(new FixedDenoiser(worse), options).Denoise(ones, Level);
            Assert.True(image.isfinite().all().item<bool>());
        }
    }

    [Fact]
    public void Predict_TwoDenoisers_PassesTheVarianceOfTheConditionalOn()
    {
        var guided = new FixedDenoiser(_conditional, _noisy).AutoGuided(new FixedDenoiser(_unconditional, _conditional), 3);
        TensorAssert.Identical(_noisy, guided.Predict(_noisy, Level).Variance!, "variance");
        Assert.Null(new FixedDenoiser(_conditional).AutoGuided(new FixedDenoiser(_unconditional, _conditional), 3).Predict(_noisy, Level).Variance);
    }

    [Fact]
    public void Denoise_AnyOptions_LeavesNoTensorBehind()
    {
        using var network = new LabelNetwork(variance: true);
        var denoiser = new NetworkDenoiser(network, new LinearNoiseSchedule(), nullCondition: Condition.OfLabels(4));
        var options = new GuidanceOptions { Scale = 3, Rescale = 0.5, Eta = 0.5, Space = Parameterization.Epsilon };
        Leaks.None(() =>
        {
            denoiser.With(2, 3).Guided(3).Denoise(_noisy, Level).Dispose();
            denoiser.With(2, 3).Guided(options).Denoise(_noisy, Level).Dispose();
            denoiser.With(1).AutoGuided(new FixedDenoiser(_unconditional, _noisy), options).Denoise(_noisy, Level).Dispose();
        });
    }

    [Fact]
    public void Constructor_BadArguments_SayWhatIsWrong()
    {
        var denoiser = new FixedDenoiser(_conditional);
        Assert.Contains(nameof(GuidanceOptions.Scale), Assert.Throws<ArgumentException>(() => denoiser.AutoGuided(denoiser, double.NaN)).Message, StringComparison.Ordinal);
        var errors = Assert.Throws<ArgumentException>(() => denoiser.AutoGuided(denoiser, new GuidanceOptions { Rescale = 1.5, Eta = -1, Space = null! })).Message;
        Assert.Contains("3 mistake(s)", errors, StringComparison.Ordinal);
        var other = new FixedDenoiser(_conditional, schedule: new LinearNoiseSchedule(100));
        Assert.Contains("schedule", Assert.Throws<ArgumentException>(() => denoiser.AutoGuided(other, 2)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentNullException>(() => denoiser.AutoGuided(null!, 2));
        Assert.Contains("With(labels)", Assert.Throws<InvalidOperationException>(() => denoiser.Guided(2).Predict(_noisy, Level)).Message, StringComparison.Ordinal);
        foreach (var (min, max, mistake) in new[] { (2, 2, "SigmaMax"), (-1, 2, "SigmaMin"), (0, double.NaN, "SigmaMax"), (double.PositiveInfinity, double.PositiveInfinity, "SigmaMin") })
        {
            Assert.Contains(mistake, Assert.Throws<ArgumentException>(() => denoiser.AutoGuided(denoiser, new GuidanceOptions { SigmaMin = min, SigmaMax = max })).Message, StringComparison.Ordinal);
        }
    }
}
