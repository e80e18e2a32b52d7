using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>The U-Net against explainingai-code/DDPM-Pytorch: output, gradients, Adam, the sampling loop (tests/golden/README.md).</summary>
public sealed class CourseNetworkTests
{
    private const double GradientTolerance = 5e-6;

    [Theory]
    [InlineData("explainingai/unet_L1")]
    [InlineData("explainingai/unet_L2")]
    [InlineData("explainingai/unet_small_rgb")]
    public void UNet_RecordedWeights_GivesTheRecordedOutput(string name)
    {
        using var golden = Golden.Case(name);
        using var unet = Build(golden);
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        Assert.Equal(golden.Json.GetProperty("parameter_count").GetInt64(), unet.ParameterCount);
        Diffusion.MemoryPoison.Spread();
        TensorAssert.Close(golden["out"], unet.call(golden["x"], golden["t"]), 1e-5, 1e-5, "out");
    }

    [Theory]
    [InlineData("explainingai/unet_L1")]
    [InlineData("explainingai/unet_L2")]
    [InlineData("explainingai/unet_small_rgb")]
    public void UNet_RecordedBatch_GivesTheRecordedGradients(string name)
    {
        using var golden = Golden.Case(name);
        using var unet = Build(golden);
        using var scope = NewDisposeScope();
        Diffusion.MemoryPoison.Spread();
        Loss(unet, golden).backward();
        var gradients = KeyMap.Course.ToTheirs(unet.named_parameters().Select(entry => KeyValuePair.Create(entry.name, entry.parameter.grad!)));
        foreach (var (key, expected) in golden.WithPrefix("grad."))
        {
            TensorAssert.Close(expected, gradients[key], 1e-6, 1e-4, "gradient of " + key);
        }

        var total = gradients.Values.Sum(gradient => gradient.to(ScalarType.Float64).square().sum().item<double>());
        Assert.Equal(golden["grad_sq_norm_total"].item<float>(), total, 1e-5 * total);
    }

    /// <summary>
    /// Every gradient, not only the recorded ones, which are themselves up to 7e-6 of their norm away from float64. What nearly cancels, as the gradient of a bias before a norm, is as far away as rounding
    /// happens to be: with AVX2 three of them are over the tolerance, and libtorch's own operations say how far they may be.
    /// </summary>
    [Theory]
    [InlineData("explainingai/unet_L1")]
    [InlineData("explainingai/unet_L2")]
    [InlineData("explainingai/unet_small_rgb")]
    public void UNet_RecordedBatch_GivesTheGradientsOfDoublePrecision(string name)
    {
        using var golden = Golden.Case(name);
        Dictionary<string, double> libtorch;
        using (Processor.Limit(ProcessorLevel.Plain))
        {
            libtorch = ErrorsOfGradients(golden);
        }

        var allowed = Processor.Level == ProcessorLevel.Avx2 ? Math.Max(GradientTolerance, 2 * libtorch.Values.Max()) : GradientTolerance;
        foreach (var (key, error) in ErrorsOfGradients(golden))
        {
            Assert.True(error < allowed, $"The gradient of {key} is off by {error} of its norm; {libtorch.Values.Max()} is the most by libtorch's operations.");
        }
    }

    /// <summary>By libtorch's operations alone.</summary>
    [Theory]
    [InlineData("explainingai/unet_L1")]
    [InlineData("explainingai/unet_L2")]
    [InlineData("explainingai/unet_small_rgb")]
    public void UNet_RecordedBatchAtPlain_GivesTheGradientsOfDoublePrecision(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() && name == "explainingai/unet_small_rgb", "libtorch's build for Windows rounds otherwise: its operations are 5.4e-6 of a norm off here.");
        using var golden = Golden.Case(name);
        using var plain = Processor.Limit(ProcessorLevel.Plain);

        Assert.InRange(ErrorsOfGradients(golden).Values.Max(), 0, GradientTolerance);
    }

    [Theory]
    [InlineData("explainingai/unet_L1")]
    [InlineData("explainingai/unet_L2")]
    [InlineData("explainingai/unet_small_rgb")]
    public void AdamOptimizer_ThreeSteps_GivesTheRecordedLossesAndWeights(string name)
    {
        using var golden = Golden.Case(name);
        using var unet = Build(golden);
        using var scope = NewDisposeScope();
        using var flat = new FlatParameters(unet);
        using var adam = new AdamOptimizer(flat.Values, new OptimizerOptions());
        var losses = golden["adam_losses"].data<float>().ToArray();
        for (var step = 0; step < 3; step++)
        {
            using (no_grad())
            {
                flat.Gradients.zero_();
            }

            var loss = Loss(unet, golden);
            Assert.Equal(losses[step], loss.item<float>(), 1e-5 * losses[step]);
            loss.backward();
            adam.Update(flat.Values, flat.Gradients, norm: 0, 1e-4, step + 1, []);
        }

        Assert.Equal(losses[3], Loss(unet, golden).item<float>(), 1e-5 * losses[3]);
        var weights = KeyMap.Course.ToTheirs(unet.state_dict());
        foreach (var (key, expected) in golden.WithPrefix("adam_after3."))
        {
            TensorAssert.Close(expected, weights[key], 1e-6, 1e-5, key);
        }
    }

    [Fact]
    public void DdpmSampler_RecordedNoise_WalksTheRecordedPath()
    {
        using var golden = Golden.Case("explainingai/sample_loop_T20");
        using var unet = CourseNetwork.Of(golden, new ImageShape(1, 12, 12));
        var schedule = new LinearNoiseSchedule(
            golden.Constructor.GetProperty("num_timesteps").GetInt32(),
            golden.Constructor.GetProperty("beta_start").GetDouble(),
            golden.Constructor.GetProperty("beta_end").GetDouble());
        var steps = 0;
        using var result = new DdpmSampler().SampleFrom(
            new NetworkDenoiser(unet, schedule),
            golden["x_T"].shape,
            new RecordedNoise(golden["x_T"], golden["noise"]),
            onStep: step =>
            {
                using var scope = NewDisposeScope();
                TensorAssert.Close(golden["samples"][step.Index], step.Noisy, 5e-5, 5e-5, $"x after step {step.Index}");
                TensorAssert.Close(golden["x0"][step.Index], step.Image.clamp(-1, 1), 5e-5, 5e-5, $"x0 in step {step.Index}"); // the course clips what it shows, and not what it goes on with
                steps++;
            });
        Assert.Equal(20, steps);
        TensorAssert.Close(golden["samples"][^1], result, 5e-5, 5e-5, "result");
    }

    [Fact]
    public void KeyMap_CourseNames_GoBothWays()
    {
        using var golden = Golden.Case("explainingai/unet_L2");
        using var unet = Build(golden);
        var ours = unet.state_dict().Keys.Order(StringComparer.Ordinal).ToList();
        var theirs = golden.WithPrefix("sd.").Keys.Order(StringComparer.Ordinal).ToList();
        Assert.Equal(theirs, ours.Select(key => KeyMap.Course.ToTheirs(key)!).Order(StringComparer.Ordinal));
        Assert.Equal(ours, theirs.Select(key => KeyMap.Course.ToOurs(key)!).Order(StringComparer.Ordinal));
        Assert.Null(KeyMap.Course.ToTheirs("down.0.other.weight"));
    }

    /// <summary>How far each gradient is from that of float64, as a share of its norm.</summary>
    private static Dictionary<string, double> ErrorsOfGradients(GoldenCase golden)
    {
        using var unet = Build(golden);
        using var exact = Build(golden);
        exact.to(ScalarType.Float64);
        using var scope = NewDisposeScope();
        Diffusion.MemoryPoison.Spread();
        Loss(unet, golden).backward();
        Loss(exact, golden, ScalarType.Float64).backward();
        var largest = exact.parameters().Max(parameter => parameter.grad!.norm().item<double>());
        return unet.named_parameters().Zip(exact.parameters()).ToDictionary(pair => pair.First.name, pair =>
        {
            // Some gradients are 0, as of a bias before a norm of one channel a group: those are measured by the largest of the network.
            var norm = pair.Second.grad!.norm().item<double>();
            return (pair.First.parameter.grad! - pair.Second.grad!).norm().item<double>() / (norm < 1e-12 * largest ? largest : norm);
        });
    }

    private static UNet Build(GoldenCase golden)
    {
        var shape = golden["x"].shape;
        return CourseNetwork.Of(golden, new ImageShape((int)shape[1], (int)shape[2], (int)shape[3]));
    }

    private static Tensor Loss(UNet unet, GoldenCase golden, ScalarType type = ScalarType.Float32)
    {
        using var scope = NewDisposeScope();
        var noise = golden["noise"].to(type);
        var noisy = new LinearNoiseSchedule().AddNoise(golden["x0"].to(type), noise, golden["t"]);
        return nn.functional.mse_loss(unet.call(noisy, golden["t"]), noise).MoveToOuterDisposeScope();
    }

    private sealed class RecordedNoise(Tensor start, Tensor draws) : NoiseSource
    {
        private int _next = -1;

        public override Tensor Draw(ReadOnlySpan<long> shape, Device device) => _next++ < 0 ? start.clone() : draws[_next - 1].clone();
    }
}
