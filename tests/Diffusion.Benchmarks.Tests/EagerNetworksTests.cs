using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks.Tests;

/// <summary>The networks out of TorchSharp's modules that <c>compare</c> measures compute the same as this library's.</summary>
public sealed class EagerNetworksTests
{
    /// <summary>Relative. Both compute in float32 and sum in another order; Adam carries the difference from step to step.</summary>
    private const double LossTolerance = 1e-5;

    private const int Steps = 4;

    public static TheoryData<string> Names => [.. ComparedNetworks.Names];

    [Theory]
    [InlineData(ComparedNetworks.Course, 10_188_081)]
    [InlineData(ComparedNetworks.DdpmCifar10, 35_746_307)]
    [InlineData(ComparedNetworks.UNet2D64, 15_724_931)]
    [InlineData(ComparedNetworks.UNet2DCondition, 17_839_556)]
    public void Networks_FullSize_HaveTheSameParametersUnderTheirNames(string name, long parameters)
    {
        var network = ComparedNetworks.Named(name, quick: false);
        using var ours = network.Ours();
        using var eager = network.Eager();
        var expected = network.Keys.ToTheirs(ours.state_dict());
        Assert.Equal(parameters, ours.parameters().Sum(parameter => parameter.numel()));
        Assert.Equal(expected.Keys.Order(StringComparer.Ordinal), eager.state_dict().Keys.Order(StringComparer.Ordinal));
        Assert.All(eager.state_dict(), entry => Assert.Equal(expected[entry.Key].shape, entry.Value.shape));
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Networks_SmallWithTheSameWeights_GiveTheSameOutput(string name) => CompareOutputs(ComparedNetworks.Named(name, quick: true), 2);

    [Theory]
    [MemberData(nameof(Names))]
    public void Networks_FullSizeWithTheSameWeights_GiveTheSameOutput(string name) => CompareOutputs(ComparedNetworks.Named(name, quick: false), 1);

    [Theory]
    [MemberData(nameof(Names))]
    public void Networks_SameWeightsImagesAndDraws_GiveTheSameLosses(string name)
    {
        var network = WithoutDropout(ComparedNetworks.Named(name, quick: true)); // whose draws would differ
        using var networks = new NetworkPair(network);
        using var batch = new RandomImages(network.Image, network.TrainBatch);
        using var images = new FixedImages(batch.All);
        using var drawn = new RecordedTimesteps();
        var settings = new TrainerOptions { Steps = Steps, BatchSize = network.TrainBatch, LearningRate = 1e-3, Optimizer = new() { GradientClip = 1 }, Seed = 5 };
        using var trainer = new Trainer(networks.Ours, new LinearNoiseSchedule(), settings, objective: new TrainingObjective { Timesteps = drawn });
        using var loop = new EagerTrainer(networks.Eager, settings.LearningRate, settings.Optimizer.GradientClip);
        var losses = new List<double>();
        foreach (var step in trainer.Steps(images))
        {
            using var noise = drawn.Noise(batch.All.shape);
            using var timesteps = tensor(drawn.Timesteps.Select(t => (long)t).ToArray());
            var loss = loop.Step(batch.All, noise, timesteps);
            Assert.Equal(step.Loss, loss, LossTolerance * step.Loss);
            losses.Add(loss);
        }

        Assert.Equal(Steps, losses.Distinct().Count());
    }

    [Fact]
    public void Networks_DropoutOfDdpm_IsInBoth()
    {
        var network = (DiffusersNetwork)ComparedNetworks.Named(ComparedNetworks.DdpmCifar10, quick: false);
        Assert.Equal(0.1, network.Options.Dialect.Residual.Dropout);
        Assert.Equal(0.1, EagerDiffusersOptions.Of(network.Options).Dropout);
    }

    [Fact]
    public void Chosen_UnknownName_SaysWhichThereAre()
    {
        Assert.Equal([ComparedNetworks.Course, ComparedNetworks.UNet2D64], ComparedNetworks.Chosen("unet2d-64, course"));
        Assert.Equal(ComparedNetworks.Names, ComparedNetworks.Chosen(null));
        Assert.Equal(
            "There is no network 'unet' to compare; there are course, ddpm-cifar10, unet2d-64, unet2d-condition.",
            Assert.Throws<FormatException>(() => ComparedNetworks.Chosen("course,unet")).Message);
    }

    private static void CompareOutputs(ComparedNetwork network, int batch)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var networks = new NetworkPair(network);
        networks.Ours.eval();
        networks.Eager.eval();
        using var generator = new Generator(1, CPU);
        var images = randn(network.Image.Batch(batch), ScalarType.Float32, generator: generator);
        var timesteps = tensor(batch == 1 ? new long[] { 998 } : [3, 998]);
        var expected = networks.Ours.call(images, timesteps);
        Assert.True(expected.std().item<float>() > 1e-3, "The output is all but constant: nothing is compared.");
        TensorAssert.Close(expected, networks.Eager.call(images, timesteps), 1e-4, 1e-4, network.Name);
    }

    private static ComparedNetwork WithoutDropout(ComparedNetwork network) => network is not DiffusersNetwork diffusers ? network
        : diffusers with { Options = diffusers.Options with { Dialect = diffusers.Options.Dialect with { Residual = diffusers.Options.Dialect.Residual with { Dropout = 0 } } } };
}
