using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>What samplers do with a limited x̂₀, against the formulas in double precision.</summary>
public sealed class LimitedSamplingTests
{
    private static readonly LinearNoiseSchedule s_schedule = new();

    /// <summary>As diffusers' DDIMInverseScheduler with clip_sample: x̂₀ is clipped, ε̂ stays as predicted. From the clean image on, for values outside of [−1, 1], too.</summary>
    [Theory]
    [InlineData(0.3)]
    [InlineData(1)]
    [InlineData(3)]
    public void DdimInverter_ClippedDenoiser_KeepsThePredictedNoise(double scale)
    {
        using var scope = NewDisposeScope();
        var x = Normal.Of(3, 2, 1, 4, 4).to(ScalarType.Float64) * scale;
        var levels = new DdimInverter(10).Levels(s_schedule);
        Assert.Equal(NoiseLevel.Clean, levels[0]);
        using var noise = new ReplayNoise(null);
        var result = new DdimInverter(10).Continue(new EpsilonDenoiser().Limited(ImageLimit.Clip()), x, noise);
        for (var i = 0; i < 10; i++)
        {
            var (from, to) = (levels[i], levels[i + 1]);
            var epsilon = EpsilonDenoiser.Epsilon(x, from.Timestep < 0 ? to.Timestep : from.Timestep);
            x = (to.Alpha * ((x - (from.Sigma * epsilon)) / from.Alpha).clamp(-1, 1)) + (to.Sigma * epsilon);
        }

        // At the clean image ε̂ is a limit, taken at σ = 1e-6.
        TensorAssert.Close(x, result, 1e-5, 1e-5, "noise");
        Assert.True(result.abs().max().item<double>() < 10);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void DdimSampler_ClippedDenoiser_KeepsOrRederivesTheNoise(bool rederive)
    {
        using var scope = NewDisposeScope();
        var x = Normal.Of(3, 2, 1, 4, 4).to(ScalarType.Float64) * 2;
        var sampler = new DdimSampler(10, new() { RederiveNoise = rederive });
        var levels = sampler.Levels(s_schedule);
        using var noise = new ReplayNoise(null);
        var result = sampler.Continue(new EpsilonDenoiser().Limited(ImageLimit.Clip()), x, noise);
        var clipped = false;
        for (var i = 0; i < 10; i++)
        {
            var (from, to) = (levels[i], levels[i + 1]);
            var epsilon = EpsilonDenoiser.Epsilon(x, from.Timestep);
            var unlimited = (x - (from.Sigma * epsilon)) / from.Alpha;
            var image = unlimited.clamp(-1, 1);
            clipped |= (unlimited - image).abs().max().item<double>() > 0.1;
            x = (to.Alpha * image) + (to.Sigma * (rederive ? (x - (from.Alpha * image)) / from.Sigma : epsilon));
        }

        Assert.True(clipped);
        TensorAssert.Close(x, result, 1e-10, 1e-10, "images");
    }

    /// <summary>ε̂ = 0.3·x + 0.1·sin t.</summary>
    private sealed class EpsilonDenoiser : IDenoiser
    {
        public INoiseSchedule Schedule => s_schedule;

        public static Tensor Epsilon(Tensor noisy, double timestep) => (noisy * 0.3) + (0.1 * Math.Sin(timestep));

        public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null) =>
            new(Parameterization.Epsilon.ToImage(noisy, Epsilon(noisy, level.Timestep), [level]));
    }
}
