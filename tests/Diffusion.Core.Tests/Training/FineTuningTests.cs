using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class FineTuningTests
{
    private static readonly TrainerOptions s_options = new() { Steps = 5, BatchSize = 4, LearningRate = 1e-2, Optimizer = new OptimizerOptions { Kind = OptimizerKind.AdamW, WeightDecay = 0.1 } };

    [Theory]
    [InlineData("first.*", "first.weight, first.bias")]
    [InlineData("*.bias", "first.bias, second.bias")]
    [InlineData("*", "first.weight, first.bias, second.weight, second.bias")]
    [InlineData("second.weight", "second.weight")]
    [InlineData("*ir*t*b*", "first.bias")]
    public void Freeze_Pattern_FreezesWhatItMatches(string pattern, string expected)
    {
        using var network = new TinyNetwork();
        Assert.Equal(expected, string.Join(", ", FineTuning.Freeze(network, pattern)));
        Assert.Equal(expected, string.Join(", ", network.named_parameters().Where(entry => !entry.parameter.requires_grad).Select(entry => entry.name)));
        Assert.Equal(expected, string.Join(", ", FineTuning.Unfreeze(network, pattern)));
        Assert.All(network.parameters(), parameter => Assert.True(parameter.requires_grad));
    }

    [Fact]
    public void Freeze_PatternsThatMatchNothing_ListsNearestNamesAndChangesNothing()
    {
        using var network = new TinyNetwork();
        var message = Assert.Throws<ArgumentException>(() => FineTuning.Freeze(network, "first.*", "secnd.*", "first.wieght", "First.bias")).Message;
        Assert.Contains("'secnd.*': the nearest names are 'second.*'", message, StringComparison.Ordinal);
        Assert.Contains("'first.wieght': the nearest names are 'first.weight'", message, StringComparison.Ordinal);
        Assert.Contains("'First.bias': the nearest names are 'first.bias'", message, StringComparison.Ordinal);
        Assert.DoesNotContain("'first.*': the nearest", message, StringComparison.Ordinal);
        Assert.All(network.parameters(), parameter => Assert.True(parameter.requires_grad));
        Assert.Throws<ArgumentException>(() => FineTuning.Freeze(network));
    }

    [Fact]
    public void Freeze_SignsOfExpressions_AreJustCharacters()
    {
        using var network = new TinyNetwork();
        Assert.Throws<ArgumentException>(() => FineTuning.Freeze(network, "first.weigh[t]"));
        Assert.Throws<ArgumentException>(() => FineTuning.Freeze(network, "first_weight"));
        Assert.Throws<ArgumentException>(() => FineTuning.Freeze(network, "irst.weight"));
    }

    [Fact]
    public void Fit_FrozenWeights_KeepTheirBitsAndHaveNoGradient()
    {
        using var network = new TinyNetwork();
        using var images = new MemoryImages();
        using var before = Weights.Snapshot(network);
        FineTuning.Freeze(network, "first.*");
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), s_options);
        trainer.Fit(images);
        foreach (var (name, parameter) in network.named_parameters())
        {
            if (name.StartsWith("first.", StringComparison.Ordinal))
            {
                TensorAssert.Identical(before[name], parameter, name);
                Assert.Null(parameter.grad);
            }
            else
            {
                Assert.True((parameter - before[name]).abs().max().item<float>() > 1e-3, name);
                Assert.True(parameter.grad!.abs().max().item<float>() > 0, name);
            }
        }
    }

    [Fact]
    public void Freeze_GradientOfAnEarlierPass_IsForgotten()
    {
        using var scope = NewDisposeScope();
        using var network = new TinyNetwork();
        network.call(ones(2, 1, 4, 4), tensor([1L, 2L])).sum().backward();
        FineTuning.Freeze(network, "first.*");
        Assert.Null(network.get_parameter("first.weight")!.grad);
        Assert.NotNull(network.get_parameter("second.weight")!.grad);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Steps_FrozenAfterTheTrainerWasMade_IsAnError(bool freeze)
    {
        using var network = new TinyNetwork();
        using var images = new MemoryImages();
        _ = freeze ? [] : FineTuning.Freeze(network, "first.bias");
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), s_options);
        _ = freeze ? FineTuning.Freeze(network, "first.bias") : FineTuning.Unfreeze(network, "first.bias");
        Assert.Contains("'first.bias' was " + (freeze ? "frozen" : "unfrozen"), Assert.Throws<InvalidOperationException>(() => trainer.Steps(images)).Message, StringComparison.Ordinal);
    }

    /// <summary>What takes a parameter's gradient away from the trainer's: a later backward pass would write to another.</summary>
    [Theory]
    [InlineData("zero_grad")]
    [InlineData("freeze")]
    [InlineData("backward")]
    public void Fit_GradientsTakenAwayAfterTheTrainerWasMade_TrainsTheSame(string how)
    {
        using var images = new MemoryImages();
        using var undisturbed = new TinyNetwork();
        using (var trainer = new Trainer(undisturbed, new LinearNoiseSchedule(), s_options))
        {
            trainer.Fit(images);
        }

        using var network = new TinyNetwork();
        using (var trainer = new Trainer(network, new LinearNoiseSchedule(), s_options))
        {
            trainer.Fit(images, stopAfter: 2);
            switch (how)
            {
                case "zero_grad":
                    network.zero_grad();
                    break;
                case "freeze":
                    FineTuning.Freeze(network, "first.*");
                    FineTuning.Unfreeze(network, "first.*");
                    break;
                default:
                    network.zero_grad();
                    using (var scope = NewDisposeScope())
                    {
                        network.call(ones(2, 1, 4, 4), tensor([1L, 2L])).sum().backward();
                    }

                    break;
            }

            trainer.Fit(images);
        }

        TensorAssert.Identical(undisturbed.state_dict(), network.state_dict());
    }

    [Fact]
    public void Fit_LoadedFrozenTrainedSavedAndLoaded_GoesOnWithTheSameBits()
    {
        using var folder = new TemporaryFolder();
        using var images = new MemoryImages();
        var file = Path.Combine(folder.Path, "base.safetensors");
        using (var pretrained = new TinyNetwork(seed: 1))
        {
            Safetensors.Save(file, pretrained.state_dict());
        }

        using var whole = Loaded();
        using (var trainer = Train(whole, folder: null))
        {
            trainer.Fit(images);
        }

        using var first = Loaded();
        using (var trainer = Train(first, folder.Path))
        {
            trainer.Fit(images, stopAfter: 2);
        }

        using var second = new TinyNetwork(seed: 9); // whatever it held, the checkpoint has all of it, frozen or not
        FineTuning.Freeze(second, "first.*");
        using (var trainer = Train(second, folder.Path))
        {
            Assert.True(trainer.Resume(folder.Path));
            Assert.Equal(2, trainer.StepsDone);
            trainer.Fit(images);
        }

        TensorAssert.Identical(whole.state_dict(), second.state_dict());

        TinyNetwork Loaded()
        {
            var network = new TinyNetwork(seed: 2);
            using var weights = Safetensors.Load(file);
            Weights.Load(network, weights);
            FineTuning.Freeze(network, "first.*");
            return network;
        }

        static Trainer Train(TinyNetwork network, string? folder) =>
            new(network, new LinearNoiseSchedule(), s_options with { Checkpoints = new CheckpointOptions { Folder = folder } });
    }
}
