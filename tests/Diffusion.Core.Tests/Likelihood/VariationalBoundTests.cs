using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class VariationalBoundTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    /// <summary>
    /// Against openai/improved-diffusion (tests/golden/README.md). The logarithm of a difference of two numbers of single precision has no right digit
    /// where the difference is one rounding of them: there the probabilities are compared, docs/parity.md.
    /// </summary>
    [Fact]
    public void GaussianLikelihood_OfManyValues_EqualsTheRecorded()
    {
        const double Rounding = 1.0 / (1 << 23);
        using var golden = Golden.Case("openai_diffusion/likelihood_helpers");
        var expected = golden.Numbers("disc_loglik");
        var single = GaussianLikelihood.DiscretizedLog(golden["x"], golden["m"], golden["ls"]).Numbers();
        var exact = GaussianLikelihood.DiscretizedLog(golden["x"].to(ScalarType.Float64), golden["m"].to(ScalarType.Float64), golden["ls"].to(ScalarType.Float64)).Numbers();
        for (var i = 0; i < expected.Length; i++)
        {
            var tolerance = golden.AbsoluteTolerance + (golden.RelativeTolerance * Math.Abs(expected[i]));
            var probability = Math.Exp(exact[i]);
            Assert.True(probability < 2 * Rounding || Math.Abs(expected[i] - single[i]) <= tolerance, $"{i}: {expected[i]}, {single[i]}");
            Assert.Equal(Math.Exp(expected[i]), Math.Exp(single[i]), Rounding);
            Assert.Equal(Math.Exp(expected[i]), probability, Rounding + (golden.AbsoluteTolerance * probability));
        }

        golden.Close("normal_kl", GaussianLikelihood.Divergence(golden["m"], golden["ls"], golden["m2"], golden["l2"]));
        golden.Close("cdf", GaussianLikelihood.NormalDistribution(golden["m"] * 3));
    }

    /// <summary>Against openai/improved-diffusion (tests/golden/README.md).</summary>
    [Theory]
    [InlineData("openai_diffusion/vb_terms_fixed_large_xstart")]
    [InlineData("openai_diffusion/vb_terms_fixed_small_cosine")]
    [InlineData("openai_diffusion/vb_terms_learned_prevx")]
    [InlineData("openai_diffusion/vb_terms_learned_range")]
    public void Terms_OfRecordedNetworks_EqualTheRecorded(string name)
    {
        using var golden = Golden.Case(name);
        using var network = new RecordedNetwork(golden);
        var schedule = golden.Schedule();
        var parameterization = golden.Parameterization(schedule);
        int[] timesteps = [.. golden["t"].data<long>().ToArray().Select(t => (int)t)];
        var levels = timesteps.Select(schedule.LevelAt).ToArray();
        var noisy = ForwardProcess.AddNoise(golden["x_start"], golden["noise"], levels);
        golden.Close("x_t", noisy);
        var output = network.call(golden["x_t"], golden["t"]).detach();
        var channels = golden["x_t"].shape[1];
        var prediction = new Prediction(
            parameterization.ToImage(golden["x_t"], output.narrow(1, 0, channels), levels), output.shape[1] > channels ? output.narrow(1, channels, channels) : null);

        // Where the network predicts x_{t−1}, the peer clips x̂₀ for the report but takes the mean as predicted.
        var reportOnly = name.Contains("prevx", StringComparison.Ordinal);
        var bound = new VariationalBound(schedule, golden.Variance());
        foreach (var prefix in new[] { "clip", "noclip" })
        {
            var clipped = prefix == "clip" ? prediction with { Image = ImageLimit.Clip().Apply(prediction.Image) } : prediction;
            var used = reportOnly ? prediction : clipped;
            using var reverse = bound.Reverse(golden["x_t"], used, timesteps);
            golden.Close($"{prefix}.mean", reverse.Mean);
            golden.Close($"{prefix}.log_variance", reverse.LogVariance);
            golden.Close($"{prefix}.variance", reverse.LogVariance.exp());
            golden.Close($"{prefix}.pred_xstart", reportOnly ? clipped.Image : reverse.Image);
            golden.Close($"{prefix}.vb_bpd", bound.Terms(golden["x_start"], golden["x_t"], used, timesteps));
        }
    }

    /// <summary>Against openai/improved-diffusion (tests/golden/README.md).</summary>
    [Theory]
    [InlineData("openai_diffusion/calc_bpd_loop_T20_fixed_cos")]
    [InlineData("openai_diffusion/calc_bpd_loop_T20_lr")]
    public void BitsPerDimension_OfRecordedNetworks_EqualTheRecorded(string name)
    {
        using var golden = Golden.Case(name);
        using var network = new RecordedNetwork(golden);
        var noise = new RecordedNoise(golden["noise"]);
        using var report = VariationalBound.BitsPerDimension(new NetworkDenoiser(network, golden.Schedule()).Limited(ImageLimit.Clip()), golden["x_start"], noise, golden.Variance());
        Assert.Equal(20, noise.Drawn);
        golden.Close("total_bpd", report.Total);
        golden.Close("prior_bpd", report.Prior);
        golden.Close("vb", report.Terms.flip(1)); // recorded from the noisiest timestep down
        golden.Close("xstart_mse", report.ImageErrors.flip(1));
        golden.Close("mse", report.NoiseErrors.flip(1));
    }

    [Theory]
    [InlineData("openai_diffusion/q_posterior_linear")]
    [InlineData("openai_diffusion/q_posterior_cosine")]
    public void Prior_OfRecordedImages_EqualsTheRecorded(string name)
    {
        using var golden = Golden.Case(name);
        INoiseSchedule schedule = name.Contains("linear", StringComparison.Ordinal) ? new LinearNoiseSchedule() : new CosineNoiseSchedule();
        golden.Close("prior_bpd", new VariationalBound(schedule).Prior(golden["x_start"]));
    }

    [Fact]
    public void Prior_InDoublePrecision_IsTheDivergenceFromPureNoise()
    {
        var images = Random(1).to(ScalarType.Float64);
        var schedule = new LinearNoiseSchedule();
        var level = schedule.LevelAt(999);
        var expected = GaussianLikelihood.Divergence(images * level.Alpha, full_like(images, 2 * Math.Log(level.Sigma)), zeros_like(images), zeros_like(images)).mean([1, 2, 3]) / Math.Log(2);
        TensorAssert.Close(expected, new VariationalBound(schedule).Prior(images), 0, 1e-9, "prior");
        TensorAssert.Close(expected, new VariationalBound(schedule).Prior(images.to(ScalarType.Float32)), 0, 1e-5, "prior in single precision");
        Assert.Equal(0, new VariationalBound(new ZeroTerminalSnrSchedule(schedule)).Prior(images).abs().max().item<double>(), 1e-15);
    }

    [Fact]
    public void Terms_PerfectPrediction_HasNoDivergence()
    {
        var (images, bound) = (Random(1), new VariationalBound(new LinearNoiseSchedule()));
        var noisy = ForwardProcess.AddNoise(images, Random(2), new LinearNoiseSchedule().LevelsAt([500, 40]));
        TensorAssert.Close(zeros(2), bound.Terms(images, noisy, new Prediction(images), [500, 40]), 1e-7, 0, "term");
        var worse = bound.Terms(images, noisy, new Prediction((images + 0.5).clamp(-1, 1)), [500, 40]).Numbers();
        var posterior = Posterior.Between(new LinearNoiseSchedule().LevelAt(40), new LinearNoiseSchedule().LevelAt(39));
        var clipped = (images - (images + 0.5).clamp(-1, 1))[1].square().mean().item<float>();
        Assert.Equal(clipped * posterior.ImageWeight * posterior.ImageWeight / posterior.Variance / 2 / Math.Log(2), worse[1], 1e-4 * worse[1]);
    }

    [Fact]
    public void DiscretizedLog_AllValues_AreAProbability()
    {
        var values = (arange(256, ScalarType.Float64) / 127.5) - 1;
        foreach (var (mean, deviation) in new[] { (0.1, 0.05), (-1.2, 0.3), (0.999, 0.2) })
        {
            var logs = GaussianLikelihood.DiscretizedLog(values, full_like(values, mean), full_like(values, Math.Log(deviation)));
            Assert.Equal(1, logs.exp().sum().item<double>(), 1e-9);
        }
    }

    [Fact]
    public void BitsPerDimension_ExactDenoiserOfNoise_IsSmallerThanOfAWrongOne()
    {
        var schedule = new LinearNoiseSchedule(40, 1e-4, 0.5);
        var images = (((Random(5) * 0.5) + 0.3).clamp(-1, 1) * 127.5).round() / 127.5;
        using var right = VariationalBound.BitsPerDimension(new GaussianDenoiser(schedule), images, new SeededNoise(1), ReverseVariance.FixedLarge);
        using var wrong = VariationalBound.BitsPerDimension(new GaussianDenoiser(schedule, mean: -0.5), images, new SeededNoise(1), ReverseVariance.FixedLarge);
        Assert.All(right.Total.Numbers().Zip(wrong.Total.Numbers()), pair => Assert.True(pair.First < pair.Second, $"{pair}"));
        Assert.Equal(8, right.Total.Numbers().Average(), 2.0); // ln(σ·√(2πe)) of σ = 0.5 in steps of 1/127.5 is 7.9 − 0.9 bits
    }

    [Fact]
    public void BitsPerDimension_LimitedDenoiser_IsThatOfTheTerms()
    {
        var schedule = new LinearNoiseSchedule(3, 0.1, 0.5);
        var images = Random(5);
        var plain = new GaussianDenoiser(schedule, mean: 3);
        foreach (var denoiser in new[] { plain, plain.Limited(ImageLimit.Clip()) })
        {
            using var noise = new SeededNoise(1);
            using var same = new SeededNoise(1);
            using var report = VariationalBound.BitsPerDimension(denoiser, images, noise);
            var bound = new VariationalBound(schedule);
            for (var t = 2; t >= 0; t--)
            {
                var noisy = ForwardProcess.AddNoise(images, same.Draw(images.shape, CPU), [schedule.LevelAt(t)]);
                var image = denoiser.Denoise(noisy, schedule.LevelAt(t));
                Assert.Equal(ReferenceEquals(denoiser, plain), image.max().item<float>() > 1);
                TensorAssert.Close(bound.Terms(images, noisy, new Prediction(image), [t]), report.Terms[.., t], 1e-5, 1e-5, $"terms at {t}");
                TensorAssert.Close((image - images).square().mean([1, 2, 3]), report.ImageErrors[.., t], 1e-6, 1e-6, $"errors at {t}");
            }
        }
    }

    [Fact]
    public void VariationalBound_WrongArguments_SaysWhatWasGivenAndWhatIsNeeded()
    {
        var (images, schedule) = (Random(1), new LinearNoiseSchedule());
        var bound = new VariationalBound(schedule, ReverseVariance.LearnedRange);
        Assert.Contains("at least 2 timesteps; the schedule has 1", Assert.Throws<ArgumentException>(() => new VariationalBound(new LinearNoiseSchedule(1, 0.1, 0.2))).Message, StringComparison.Ordinal);
        Assert.Contains("LearnedRange needs a network with twice the channels", Assert.Throws<InvalidOperationException>(() => bound.Terms(images, images, new Prediction(images), [3])).Message, StringComparison.Ordinal);
        Assert.Contains("3 were given", Assert.Throws<ArgumentException>(() => bound.Terms(images, images, new Prediction(images, images), [3, 4, 5])).Message, StringComparison.Ordinal);
        Assert.Contains("[0, 1000)", Assert.Throws<ArgumentOutOfRangeException>(() => bound.Terms(images, images, new Prediction(images, images), [1000])).Message, StringComparison.Ordinal);
        Assert.Contains("[2, 1, 4, 4]", Assert.Throws<ArgumentException>(() => bound.Terms(images, images, new Prediction(images[..1], images), [3])).Message, StringComparison.Ordinal);
        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.Throws<OperationCanceledException>(() => VariationalBound.BitsPerDimension(new GaussianDenoiser(schedule), images, new SeededNoise(1), cancellationToken: cancelled.Token));
    }

    public void Dispose() => _scope.Dispose();

    private static Tensor Random(ulong seed)
    {
        using var generator = new Generator(seed);
        return randn([2, 1, 4, 4], generator: generator).clamp(-1, 1);
    }
}
