using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class ClassifierGuidanceTests
{
    /// <summary>The peer clips x̂₀, moves ε by the gradient and goes on with the x̂₀ of the moved ε, which is not clipped again.</summary>
    [Fact]
    public void Denoise_DdimLoopOfAPeer_EqualsTheRecordedSteps()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case("openai_diffusion/ddim_guided_condscore");
        using var network = new RecordedNetwork(golden);
        var schedule = new LinearNoiseSchedule(1000);
        var target = golden["cond_target"];
        var denoiser = new NetworkDenoiser(network, schedule).Limited(ImageLimit.Clip())
            .ClassifierGuided((noisy, _) => (target - noisy) * 0.8, scale: 1);
        var levels = Levels(golden, schedule);
        var x = golden["x_T"];
        for (var i = 0; i + 1 < levels.Length; i++)
        {
            var (from, to) = (levels[i], levels[i + 1]);
            var image = denoiser.Denoise(x, from);
            TensorAssert.Close(golden["pred_xstart"][i], image, 2e-5, 2e-5, $"x̂₀ of step {i}");
            var noise = (x - (image * from.Alpha)) / from.Sigma;
            x = (image * to.Alpha) + (noise * to.Sigma);
            TensorAssert.Close(golden["samples"][i], x, 2e-5, 2e-5, $"x after step {i}");
        }
    }

    /// <summary>
    /// Algorithm 1, with the parts that a sampler has: the mean of the step moves by its variance times the gradient at x_t. In the last
    /// step, where the variance of the posterior is 0, its logarithm is that of the step before, and the mean still moves.
    /// </summary>
    [Fact]
    public void Predict_AncestralLoopOfAPeer_HasWhatTheShiftOfTheMeanNeeds()
    {
        using var scope = NewDisposeScope();
        using var golden = Golden.Case("openai_diffusion/p_sample_loop_guided_condmean");
        using var network = new RecordedNetwork(golden);
        var schedule = new LinearNoiseSchedule(1000);
        var denoiser = new NetworkDenoiser(network, schedule).Limited(ImageLimit.Clip());
        var levels = Levels(golden, schedule);
        var x = golden["x_T"];
        for (var i = 0; i + 1 < levels.Length; i++)
        {
            var (image, learned) = denoiser.Predict(x, levels[i]);
            var posterior = Posterior.Between(levels[i], levels[i + 1]);
            var least = i + 2 < levels.Length ? posterior.Variance : Posterior.Between(levels[i - 1], levels[i]).Variance;
            var most = posterior.ImageWeight * levels[i].Sigma * levels[i].Sigma / levels[i + 1].Alpha;
            var share = (learned! + 1) / 2;
            var variance = ((share * Math.Log(most)) + ((1 - share) * Math.Log(least))).exp();
            var mean = (image * posterior.ImageWeight) + (x * posterior.NoisyWeight) + (variance * ((golden["cond_target"] - x) * 0.8));
            x = i + 2 < levels.Length ? mean + (variance.sqrt() * golden["noise"][i]) : mean;
            TensorAssert.Close(golden["pred_xstart"][i], image, 2e-5, 2e-5, $"x̂₀ of step {i}");
            TensorAssert.Close(golden["samples"][i], x, 2e-5, 2e-5, $"x after step {i}");
        }
    }

    /// <summary>If the data are N(m, s²) and the classifier's likelihood is Gaussian, the guided denoiser is that of the product of both.</summary>
    [Fact]
    public void Denoise_GaussianDataAndGradient_IsTheShiftedScore()
    {
        using var scope = NewDisposeScope();
        var noisy = Normal.Of(1, 2, 1, 4, 4);
        var inner = new GaussianDenoiser(new LinearNoiseSchedule());
        var guided = inner.ClassifierGuided((x, level) => (0.5 - x) * (2 * level.Alpha), scale: 1.5);
        foreach (var level in TestLevels.WithImage)
        {
            // The score is (α·x̂₀ − x)/σ²; guidance adds to it.
            var variance = level.Sigma * level.Sigma;
            var score = ((inner.Denoise(noisy, level) * level.Alpha) - noisy) / variance;
            var expected = (noisy + ((score + ((0.5 - noisy) * (2 * level.Alpha * 1.5))) * variance)) / level.Alpha;
            var actual = guided.Denoise(noisy, level);
            TensorAssert.Close(expected, actual, 2e-5, 2e-5, level.ToString());
        }
    }

    [Fact]
    public void Denoise_NoiseAloneOrScaleZero_DoesNotAskTheClassifier()
    {
        using var noisy = Normal.Of(1, 2, 1, 4, 4);
        var inner = new FixedDenoiser(noisy);
        Func<Tensor, NoiseLevel, Tensor> refuses = (_, _) => throw new InvalidOperationException("asked");
        using var noise = inner.ClassifierGuided(refuses, 1).Denoise(noisy, new NoiseLevel(0, 1, 999));
        using var none = inner.ClassifierGuided(refuses, 0).Denoise(noisy, new NoiseLevel(0.6, 0.8, 10));
        TensorAssert.Identical(noisy, noise, "at α = 0");
        TensorAssert.Identical(noisy, none, "at scale 0");
    }

    [Fact]
    public void Of_LinearClassifier_IsTheGradientByHand()
    {
        using var scope = NewDisposeScope();
        using var classifier = new TinyClassifier();
        classifier.train();
        var noisy = Normal.Of(1, 3, 1, 4, 4);
        var level = new NoiseLevel(0.6, 0.8, 250);
        using var noGradients = no_grad(); // as in a sampler
        var gradient = ClassifierGradients.Of(classifier, 2, 0, 1)(noisy, level);

        // logits = W·x/(1 + t): the gradient of the logarithm of softmax is (W_y − Σ p_k·W_k)/(1 + t).
        var weights = classifier.Weight / 251;
        var probabilities = nn.functional.softmax(noisy.flatten(1).matmul(weights.t()), 1);
        var expected = (weights.index_select(0, tensor(new long[] { 2, 0, 1 })) - probabilities.matmul(weights)).view(3, 1, 4, 4);
        TensorAssert.Close(expected, gradient, 1e-6, 1e-5, "gradient");
        Assert.False(gradient.requires_grad);
        Assert.True(classifier.training);
        Assert.Equal([(ScalarType.Int64, false)], classifier.Calls);
        Assert.All(classifier.parameters(), parameter => Assert.True(parameter.grad is null));
        Assert.False(is_grad_enabled());
    }

    [Fact]
    public void Predict_ClassifierAndVariance_PassesItOnAndLeavesNothingBehind()
    {
        using var classifier = new TinyClassifier();
        using var noisy = Normal.Of(1, 3, 1, 4, 4);
        using var variance = Normal.Of(2, 3, 1, 4, 4);
        var guided = new FixedDenoiser(noisy, variance).ClassifierGuided(classifier, [1], 2);
        Leaks.None(() =>
        {
            var (image, itsVariance) = guided.Predict(noisy, new NoiseLevel(0.6, 0.8, 10));
            TensorAssert.Identical(variance, itsVariance!, "variance");
            Assert.False(image.requires_grad);
            image.Dispose();
            itsVariance!.Dispose();
        });
    }

    [Fact]
    public void Denoise_BadClassifier_SaysWhatIsWrong()
    {
        using var classifier = new TinyClassifier();
        using var noisy = Normal.Of(1, 3, 1, 4, 4);
        var level = new NoiseLevel(0.6, 0.8, 10);
        Assert.Contains("2 labels", Assert.Throws<ArgumentException>(() => ClassifierGradients.Of(classifier, 1, 2)(noisy, level)).Message, StringComparison.Ordinal);
        using var detached = new DetachedClassifier();
        Assert.Contains("gradient", Assert.Throws<InvalidOperationException>(() => ClassifierGradients.Of(detached, 1)(noisy, level)).Message, StringComparison.Ordinal);
        Assert.Contains("3 classes", Assert.Throws<InvalidOperationException>(() => ClassifierGradients.Of(classifier, 3)(noisy, level)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => ClassifierGradients.Of(classifier));
        Assert.Throws<ArgumentException>(() => ClassifierGradients.Of(classifier, -1));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FixedDenoiser(noisy).ClassifierGuided((x, _) => x, double.NaN));
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => new FixedDenoiser(noisy).ClassifierGuided((x, _) => x.sum(), 1).Denoise(noisy, level));
    }

    [Fact]
    public void Of_GradientFails_IsAnException()
    {
        using var scope = NewDisposeScope();
        using var classifier = new FailingClassifier();

        var error = Assert.ThrowsAny<System.Runtime.InteropServices.ExternalException>(() => ClassifierGradients.Of(classifier, 1)(Normal.Of(1, 3, 1, 4, 4), new NoiseLevel(0.6, 0.8, 10)));

        Assert.Contains("invalid gradient", error.Message, StringComparison.Ordinal);
    }

    /// <summary>The levels that the case visits, noisiest first, and the clean one.</summary>
    private static NoiseLevel[] Levels(GoldenCase golden, LinearNoiseSchedule schedule) =>
        [.. golden["timestep_map"].data<long>().ToArray().OrderDescending().Select(timestep => schedule.LevelAt((int)timestep)), NoiseLevel.Clean];

    /// <summary>The toy model of the cases: a convolution plus a number that depends on the timestep, with a learned variance.</summary>
    private sealed class RecordedNetwork(GoldenCase golden) : nn.Module<Tensor, Tensor, Tensor>(nameof(RecordedNetwork))
    {
        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            using var scope = NewDisposeScope();
            var time = (timesteps.to(ScalarType.Float32) * 0.01).sin().view(-1, 1, 1, 1) * golden["sd.tw"].view(1, -1, 1, 1);
            return (nn.functional.conv2d(images, golden["sd.conv.weight"], golden["sd.conv.bias"], padding: [1, 1]) + time).MoveToOuterDisposeScope();
        }
    }

    private sealed class DetachedClassifier() : nn.Module<Tensor, Tensor, Tensor>(nameof(DetachedClassifier))
    {
        public override Tensor forward(Tensor images, Tensor timesteps) => images.detach().flatten(1);
    }

    private sealed class FailingClassifier() : nn.Module<Tensor, Tensor, Tensor>(nameof(FailingClassifier))
    {
        public override Tensor forward(Tensor images, Tensor timesteps) => FailingGradient.Apply(images).flatten(1);
    }

    private sealed class TinyClassifier : nn.Module<Tensor, Tensor, Tensor>
    {
        [ComponentName(Name = "weight")]
        private readonly Parameter _weight = new(Normal.Of(5, 3, 16));

        public TinyClassifier()
            : base(nameof(TinyClassifier))
        {
            RegisterComponents();
        }

        public Tensor Weight => _weight;

        public List<(ScalarType Timesteps, bool Training)> Calls { get; } = [];

        public override Tensor forward(Tensor images, Tensor timesteps)
        {
            using var scope = NewDisposeScope();
            Calls.Add((timesteps.dtype, training));
            return (images.flatten(1).matmul(_weight.t()) / (timesteps.unsqueeze(1) + 1)).MoveToOuterDisposeScope();
        }
    }
}
