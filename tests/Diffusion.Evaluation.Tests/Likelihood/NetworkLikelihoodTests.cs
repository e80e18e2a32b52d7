using Diffusion.Models;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>Likelihoods under networks: gradients reach their input, by the weights that they were evaluated with.</summary>
public sealed class NetworkLikelihoodTests : IDisposable
{
    private static readonly INoiseSchedule s_schedule = NoiseSchedule.Cosine();
    private static readonly ProbabilityFlowOptions s_options = new() { Dequantize = false, Steps = 5, Probes = TinyNetwork.Pixels };

    private readonly DisposeScope _scope = NewDisposeScope();

    [Fact]
    public void Of_ANetwork_IsThatOfItsFormula()
    {
        using var network = new TinyNetwork();
        var denoiser = new NetworkDenoiser(network, s_schedule, Parameterization.Velocity);
        var formula = new FunctionDenoiser(s_schedule, (noisy, level) => (noisy * level.Alpha) - (network.call(noisy, full([noisy.shape[0]], level.Timestep, ScalarType.Float32)) * level.Sigma));
        var images = Images(3);
        var expected = ProbabilityFlowLikelihood.Of(formula, images, 1, s_options).Values;
        Assert.All(expected.Zip(ProbabilityFlowLikelihood.Of(denoiser, images, 1, s_options).Values), pair => Assert.Equal(pair.First, pair.Second, 1e-4));
        Assert.True(network.training);
        Assert.All(network.parameters(), parameter => Assert.True(parameter.grad is null));
        using var gradients = enable_grad();
        Assert.False(denoiser.Denoise(images.detach().requires_grad_(), s_schedule.LevelAt(3)).requires_grad);
    }

    [Fact]
    public void Of_AveragedWeights_IsThatOfANetworkWithThem()
    {
        using var network = new TinyNetwork();
        using var other = new TinyNetwork();
        using (no_grad())
        {
            foreach (var parameter in other.parameters())
            {
                parameter.mul_(2);
            }
        }

        var images = Images(2);
        var averaged = new AveragedDenoiser(new NetworkDenoiser(network, s_schedule, Parameterization.Velocity), network, new Doubled(network));
        var expected = ProbabilityFlowLikelihood.Of(new NetworkDenoiser(other, s_schedule, Parameterization.Velocity), images, 1, s_options).Values;
        Assert.Equal(expected, ProbabilityFlowLikelihood.Of(averaged, images, 1, s_options).Values);
        Assert.Equal(expected, ProbabilityFlowLikelihood.Of(new Hidden(averaged), images, 1, s_options).Values);
        Assert.Equal(ProbabilityFlowLikelihood.Of(new NetworkDenoiser(new TinyNetwork(), s_schedule), images, 1, s_options).Values, ProbabilityFlowLikelihood.Of(new NetworkDenoiser(network, s_schedule), images, 1, s_options).Values);
        var plain = new NetworkDenoiser(network, s_schedule, Parameterization.Velocity);
        Assert.Contains("cannot begin within", Assert.Throws<InvalidOperationException>(() => ProbabilityFlowLikelihood.Of(plain.AutoGuided(averaged, 2), images, 1, s_options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Of_Labels_DependsOnThem()
    {
        using var network = Network();
        var denoiser = new NetworkDenoiser(network, s_schedule, Parameterization.Velocity, Condition.OfLabels(3));
        var images = Images(2, 16);
        var few = s_options with { Probes = 1, Steps = 2 };
        double[] together = [.. ProbabilityFlowLikelihood.Of(denoiser.With(0, 2), images, 1, few).Values];
        Assert.Equal(ProbabilityFlowLikelihood.Of(denoiser.With(0), images[..1], 1, few).Values[0], together[0], 1e-4);
        Assert.Equal(ProbabilityFlowLikelihood.Of(denoiser.With(2), images[1..], 1, few, 1).Values[0], together[1], 1e-4);
        Assert.NotEqual(ProbabilityFlowLikelihood.Of(denoiser.With(1), images[..1], 1, few).Values[0], together[0], 1e-4);
    }

    /// <summary>The product of the derivative with a direction, against the difference of two predictions.</summary>
    [Theory]
    [InlineData("labels")]
    [InlineData("guidance")]
    [InlineData("rescaled guidance")]
    [InlineData("self-conditioning")]
    [InlineData("averaged")]
    public void At_AUNetWithAllThatIsAroundIt_HasItsDerivative(string kind)
    {
        using var network = Network(selfConditioning: kind == "self-conditioning");
        var inner = new NetworkDenoiser(network, s_schedule, Parameterization.Velocity, Condition.OfLabels(3), kind == "self-conditioning");
        var denoiser = kind switch
        {
            "guidance" => inner.With(1).Guided(2),
            "rescaled guidance" => inner.With(1).Guided(new GuidanceOptions { Scale = 2, Rescale = 0.7, Eta = 0.3 }),
            "averaged" => new AveragedDenoiser(inner, network, new Doubled(network)).With(1),
            _ => inner.With(1),
        };
        var images = Images(2, 16);
        var level = s_schedule.LevelAt(400);
        using var noise = NoiseSource.Seeded(3);
        using var probes = TraceProbes.For(images, new ProbabilityFlowOptions(), noise);
        var slope = new FlowSlope(denoiser, probes, ScalarType.Float32);
        var (found, trace) = slope.At(images.to(ScalarType.Float64), level);
        Assert.Equal(kind == "self-conditioning" ? 2 : 1, slope.Evaluations);

        var speed = Math.Sqrt(level.Alpha * (level.Alpha + level.Sigma));
        Assert.Equal(1, level.Scale, 1e-9);
        TensorAssert.Close((images * level.Alpha - Image(images)) * speed, found, 1e-4, 1e-4, "slope");
        var direction = probes.Directions[0];
        const double Step = 0.004;
        var difference = (Image(images + (direction * Step)) - Image(images - (direction * Step))) / (2 * Step);
        TensorAssert.Close((difference * direction).sum([1, 2, 3]) * speed, trace, 0.05, 5e-3, "trace");

        Tensor Image(Tensor noisy)
        {
            var estimate = kind == "self-conditioning" ? denoiser.Denoise(noisy, level) : null;
            return denoiser.Predict(noisy, level, estimate: estimate).Image;
        }
    }

    [Fact]
    public void Of_WhatHasNoLikelihood_SaysWhy()
    {
        using var network = new TinyNetwork();
        var denoiser = new NetworkDenoiser(network, s_schedule, Parameterization.Velocity);
        var images = Images(1);
        Refused<ArgumentException>("limits x̂₀ (clip to 1)", denoiser.Limited(ImageLimit.Clip()));
        Refused<ArgumentException>("limits x̂₀", denoiser.Limited(ImageLimit.Dynamic()).With(1));
        Refused<ArgumentException>("limits x̂₀", denoiser.AutoGuided(denoiser.Limited(ImageLimit.Clip()), 2));
        Refused<ArgumentException>("computes in BFloat16", denoiser.In(ComputePrecision.BFloat16));
        Refused<ArgumentException>("guided by a gradient", denoiser.ClassifierGuided((noisy, _) => noisy.clone(), 1));
        Refused<InvalidOperationException>("no gradient with respect to x_t", new FunctionDenoiser(s_schedule, (noisy, _) => noisy.detach() * 0.5));
        Refused<InvalidOperationException>("The likelihood of image 5 is NaN", new FunctionDenoiser(s_schedule, (noisy, _) => noisy * double.NaN));
        Refused<ArgumentException>("at least 2 timesteps; this one has 1", new FunctionDenoiser(NoiseSchedule.Linear(1, 0.1, 0.2), (noisy, _) => noisy));
        Refused<ArgumentException>("must be in [0.00642", denoiser, s_options with { SmallestRatio = 0.001 });
        Refused<ArgumentException>("Steps: must be in [1, 100000]; it is 0", denoiser, s_options with { Steps = 0 });
        Refused<ArgumentException>("8-bit values", denoiser, s_options with { Dequantize = true });
        Assert.Contains("of Byte", Assert.Throws<ArgumentException>(() => ProbabilityFlowLikelihood.Of(denoiser, zeros([1, 1, 4, 4], ScalarType.Byte), 1, s_options)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => ProbabilityFlowLikelihood.Of(denoiser, images, 1, s_options, -1));
        Assert.Throws<OperationCanceledException>(() => ProbabilityFlowLikelihood.Of(denoiser, images, 1, s_options, 0, new CancellationToken(canceled: true)));
        Assert.Equal(ProbabilityFlowLikelihood.Of(denoiser, images, 1, s_options).Values, ProbabilityFlowLikelihood.Of(denoiser.In(ComputePrecision.Float32).Limited(ImageLimit.None), images, 1, s_options).Values);

        void Refused<T>(string message, IDenoiser asked, ProbabilityFlowOptions? options = null)
            where T : Exception =>
            Assert.Contains(message, Assert.Throws<T>(() => ProbabilityFlowLikelihood.Of(asked, images, 1, options ?? s_options, 5)).Message, StringComparison.Ordinal);
    }

    public void Dispose() => _scope.Dispose();

    private static Tensor Images(int count, long size = 4)
    {
        using var generator = new Generator(2);
        return randn([count, 1, size, size], generator: generator) * 0.4;
    }

    private static UNet Network(bool selfConditioning = false)
    {
        var network = UNetBuilder.ForImages(channels: selfConditioning ? 2 : 1, size: 16)
            .With(options => options with { TimeDimension = 32, Dialect = options.Dialect with { OutChannels = 1 } })
            .WithLabels(new LabelOptions { Classes = 4 })
            .Down(32, layers: 1, attention: true, heads: 2).Down(64, layers: 1).Mid(64).Build(4);
        using var noGradients = no_grad();
        using var generator = new Generator(8);
        foreach (var parameter in network.parameters())
        {
            using var noise = randn(parameter.shape, generator: generator);
            parameter.add_(noise * 0.03);
        }

        return network;
    }

    private sealed class Doubled(nn.Module network) : IWeightSet
    {
        public void PutIn() => Scale(2);

        public void TakeOut() => Scale(0.5);

        private void Scale(double factor)
        {
            using var noGradients = no_grad();
            foreach (var parameter in network.parameters())
            {
                parameter.mul_(factor);
            }
        }
    }

    private sealed class Hidden(IDenoiser inner) : IDenoiser
    {
        public INoiseSchedule Schedule => inner.Schedule;

        public Prediction Predict(Tensor noisy, NoiseLevel level, Condition? condition = null, Tensor? estimate = null) => inner.Predict(noisy, level, condition, estimate);
    }
}
