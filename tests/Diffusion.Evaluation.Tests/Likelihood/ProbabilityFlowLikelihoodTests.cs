using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

public sealed class ProbabilityFlowLikelihoodTests : IDisposable
{
    private static readonly ProbabilityFlowOptions s_density = new() { Dequantize = false };

    private readonly DisposeScope _scope = NewDisposeScope();

    public static TheoryData<string> Schedules => [.. s_schedules.Keys];

    private static readonly Dictionary<string, INoiseSchedule> s_schedules = new()
    {
        ["linear"] = NoiseSchedule.Linear(),
        ["cosine"] = NoiseSchedule.Cosine(),
        ["cosine to pure noise"] = NoiseSchedule.CosineUncapped(),
        ["no signal at the end"] = NoiseSchedule.ZeroTerminalSnr(NoiseSchedule.Linear()),
        ["sigmoid"] = NoiseSchedule.Sigmoid(),
        ["variance-preserving equation"] = NoiseSchedule.VpSde(),
        ["continuous"] = NoiseSchedule.ContinuousLinear(),
        ["continuous cosine"] = NoiseSchedule.ContinuousCosine(),
        ["Karras"] = NoiseSchedule.Karras(),
        ["exponential"] = NoiseSchedule.Exponential(sigmaMin: 0.01, sigmaMax: 300),
        ["rectified flow"] = NoiseSchedule.RectifiedFlow(),
        ["shifted flow"] = NoiseSchedule.RectifiedFlow(shift: 3),
        ["another scale"] = new ScaledSchedule(NoiseSchedule.Linear(), 3),
    };

    [Theory]
    [MemberData(nameof(Schedules))]
    public void Of_IndependentPixels_IsTheDensityUnderEverySchedule(string name)
    {
        var (schedule, gaussian) = (s_schedules[name], GaussianImages.Diagonal());
        var (ratio, last) = (schedule.LevelAt(0).Ratio, schedule.LevelAt(schedule.Timesteps - 1).Ratio);
        var images = gaussian.Draw(40, ratio);
        var found = ProbabilityFlowLikelihood.Of(gaussian.Denoiser(schedule), images, 1, s_density with { Steps = 64 });
        AssertClose(gaussian.Bits(images, ratio, last), found.Values, 2e-5);
        AssertClose([gaussian.Bits(images, ratio).Average()], [found.BitsPerDimension], 1e-3);
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("Karras")]
    [InlineData("rectified flow")]
    public void Of_DependentPixels_IsTheDensity(string name)
    {
        var (schedule, gaussian) = (s_schedules[name], GaussianImages.Full());
        var (ratio, last) = (schedule.LevelAt(0).Ratio, schedule.LevelAt(schedule.Timesteps - 1).Ratio);
        var images = gaussian.Draw(40, ratio);
        var found = ProbabilityFlowLikelihood.Of(gaussian.Denoiser(schedule), images, 1, s_density with { Steps = 64, Probes = 4 });
        Assert.Contains("the exact trace", found.Method, StringComparison.Ordinal);
        AssertClose(gaussian.Bits(images, ratio, last), found.Values, 2e-5);
        AssertClose([gaussian.Bits(images, ratio).Average()], [found.BitsPerDimension], 1e-3);
    }

    [Fact]
    public void Of_ALargerSmallestRatio_IsTheDensityThere()
    {
        var gaussian = GaussianImages.Diagonal();
        var images = gaussian.Draw(4, 0.03);
        var found = ProbabilityFlowLikelihood.Of(gaussian.Denoiser(s_schedules["rectified flow"]), images, 1, s_density with { Steps = 64, SmallestRatio = 0.03 });
        AssertClose(gaussian.Bits(images, 0.03), found.Values, 1e-3);
        Assert.Contains("σ/α from 0.03 to Infinity", found.Method, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_SinglePrecision_IsTheDensity()
    {
        var gaussian = GaussianImages.Diagonal();
        var images = gaussian.Draw(4, 0.01).to(ScalarType.Float32);
        var schedule = s_schedules["exponential"];
        AssertClose(gaussian.Bits(images.to(ScalarType.Float64), 0.01), ProbabilityFlowLikelihood.Of(gaussian.Denoiser(schedule), images, 1, s_density with { Steps = 64 }).Values, 1e-3);
    }

    [Theory]
    [InlineData("linear")]
    [InlineData("Karras")]
    [InlineData("rectified flow")]
    public void Of_TwiceTheSteps_HasASixteenthOfTheError(string name)
    {
        var (schedule, gaussian) = (s_schedules[name], GaussianImages.Diagonal());
        var images = gaussian.Draw(3, schedule.LevelAt(0).Ratio);
        var denoiser = gaussian.Denoiser(schedule);
        double[] found = [.. new[] { 12, 24, 48, 192 }.Select(steps => ProbabilityFlowLikelihood.Of(denoiser, images, 1, s_density with { Steps = steps }).BitsPerDimension)];
        double[] orders = [.. Enumerable.Range(0, 2).Select(i => Math.Log2(Math.Abs((found[i] - found[3]) / (found[i + 1] - found[3]))))];
        Assert.All(orders, order => Assert.InRange(order, 3.5, 5));
    }

    [Fact]
    public void Of_ADiagonalJacobian_IsExactWithOneRademacherDirection()
    {
        var gaussian = GaussianImages.Diagonal();
        var (denoiser, images) = (gaussian.Denoiser(s_schedules["linear"]), gaussian.Draw(2, 0.01));
        var exact = ProbabilityFlowLikelihood.Of(denoiser, images, 1, s_density with { Steps = 8, Probes = 36 });
        AssertClose(exact.Values, ProbabilityFlowLikelihood.Of(denoiser, images, 1, s_density with { Steps = 8 }).Values, 1e-12);
        Assert.NotEqual(exact.Values[0], ProbabilityFlowLikelihood.Of(denoiser, images, 1, s_density with { Steps = 8, GaussianProbes = true }).Values[0], 1e-3);
    }

    [Theory]
    [InlineData(false, 1)]
    [InlineData(true, 1)]
    [InlineData(false, 3)]
    public void Of_RandomDirections_AreRightOnAverage(bool isGaussian, int probes)
    {
        var gaussian = GaussianImages.Full();
        var denoiser = gaussian.Denoiser(s_schedules["linear"]);
        var images = gaussian.Draw(1, 0.01).expand(3000, 1, 2, 2);
        var exact = ProbabilityFlowLikelihood.Of(denoiser, images[..1], 1, s_density with { Steps = 8, Probes = 4 }).BitsPerDimension;
        var found = ProbabilityFlowLikelihood.Of(denoiser, images, 1, s_density with { Steps = 8, Probes = probes, GaussianProbes = isGaussian });
        Assert.InRange(found.StandardError!.Value, 1e-4, 0.1);
        Assert.Equal(exact, found.BitsPerDimension, 4 * found.StandardError.Value);
    }

    [Fact]
    public void Of_OtherBatches_IsTheSame()
    {
        var gaussian = GaussianImages.Full();
        var denoiser = gaussian.Denoiser(s_schedules["cosine"]);
        var images = ((gaussian.Draw(5, 0.01).clamp(-1, 1) + 1) * 127.5).round().to(ScalarType.Byte);
        var options = new ProbabilityFlowOptions { Steps = 6 };
        var whole = ProbabilityFlowLikelihood.Of(denoiser, images, 7, options);
        var parts = LikelihoodSummary.Combine(new[] { (0, 2), (2, 3), (3, 5) }.Select(range => ProbabilityFlowLikelihood.Of(denoiser, images[range.Item1..range.Item2], 7, options, range.Item1)));
        AssertClose(whole.Values, parts.Values, 1e-6);
        Assert.Equal(whole.Method, parts.Method);
        Assert.Equal(whole.Values, ProbabilityFlowLikelihood.Of(denoiser, images, 7, options).Values);
        Assert.NotEqual(whole.Values[0], ProbabilityFlowLikelihood.Of(denoiser, images, 8, options).Values[0], 1e-4);
        Assert.NotEqual(whole.Values[0], ProbabilityFlowLikelihood.Of(denoiser, images, 7, options, 1).Values[0], 1e-4);
    }

    /// <summary>The density of the values with noise, and the width of a bin, 1/127.5, as its volume.</summary>
    [Fact]
    public void Of_EightBitImages_IsTheDensityOfTheNoisyValuesTimesTheBin()
    {
        var gaussian = GaussianImages.Diagonal();
        var schedule = s_schedules["exponential"];
        var bytes = ((gaussian.Draw(3, 0.01).clamp(-1, 1) + 1) * 127.5).round().to(ScalarType.Byte);
        var values = (bytes.to(ScalarType.Float64) / 127.5) - 1;
        var noisy = values + UniformNoise.Of(values, 4, 20);
        double[] expected = [.. gaussian.Bits(noisy, 0.01).Select(bits => bits + Math.Log2(127.5))];
        var options = new ProbabilityFlowOptions { Steps = 64 };
        foreach (var images in new[] { bytes, values, values.to(ScalarType.Float32) })
        {
            var found = ProbabilityFlowLikelihood.Of(gaussian.Denoiser(schedule), images, 4, options, 20);
            AssertClose(expected, found.Values, 1e-3);
            Assert.Contains("uniform dequantisation", found.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void UniformNoise_OfManyValues_FillsTheBin()
    {
        var noise = UniformNoise.Of(zeros([4, 1, 50, 50], ScalarType.Float64), 1, 0) * 127.5;
        Assert.InRange(noise.min().item<double>(), -0.5, -0.499);
        Assert.InRange(noise.max().item<double>(), 0.499, 0.5);
        Assert.Equal(0, noise.mean().item<double>(), 0.015);
        Assert.Equal(1.0 / 12, noise.var().item<double>(), 0.003);
    }

    [Fact]
    public void Of_TwoRuns_LeavesNoTensor()
    {
        var gaussian = GaussianImages.Full();
        var (denoiser, images) = (gaussian.Denoiser(s_schedules["linear"]), gaussian.Draw(2, 0.01));
        ProbabilityFlowLikelihood.Of(denoiser, images, 1, s_density with { Steps = 2, Probes = 2 });
        var before = LiveTensors.Settled();
        ProbabilityFlowLikelihood.Of(denoiser, images, 1, s_density with { Steps = 2, Probes = 2 });
        Assert.Equal(before, Tensor.TotalCount);
    }

    public void Dispose() => _scope.Dispose();

    private static void AssertClose(IReadOnlyList<double> expected, IReadOnlyList<double> actual, double tolerance)
    {
        Assert.Equal(expected.Count, actual.Count);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, tolerance));
    }

    private sealed class ScaledSchedule(INoiseSchedule inner, double factor) : INoiseSchedule
    {
        public int Timesteps => inner.Timesteps;

        public NoiseLevel LevelAt(int timestep) => inner.LevelAt(timestep) is var level ? new(level.Alpha * factor, level.Sigma * factor, level.Timestep) : default;
    }
}
