using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class OptimizerTests
{
    [Theory]
    [InlineData(OptimizerKind.Adam, 0.0, null, false)]
    [InlineData(OptimizerKind.Adam, 0.1, null, false)]
    [InlineData(OptimizerKind.AdamW, 0.1, null, false)]
    [InlineData(OptimizerKind.Adam, 0.1, null, true)]
    [InlineData(OptimizerKind.AdamW, 0.1, 0.02, true)]
    [InlineData(OptimizerKind.AdamW, 0.0, 1000.0, false)]
    [InlineData(OptimizerKind.Adam, 0.1, null, false, true)]
    [InlineData(OptimizerKind.AdamW, 0.1, 0.02, true, true)]
    public void Update_ThirtySteps_EqualsTorch(OptimizerKind kind, double decay, double? clip, bool matricesOnly, bool operationsOnly = false)
    {
        using var scope = NewDisposeScope();
        using var ours = new TinyNetwork();
        using var theirs = new TinyNetwork();
        using var flat = new FlatParameters(ours);
        using var optimizer = new AdamOptimizer(
            flat.Values,
            new OptimizerOptions { Kind = kind, WeightDecay = decay, Beta1 = 0.8, Beta2 = 0.95, GradientClip = clip, DecayMatricesOnly = matricesOnly },
            matricesOnly ? flat.Matrices() : null) { OperationsOnly = operationsOnly };
        optim.Optimizer Torch(IEnumerable<TorchSharp.Modules.Parameter> parameters, double weightDecay) => kind == OptimizerKind.Adam
            ? optim.Adam(parameters, 0.01, 0.8, 0.95, weight_decay: weightDecay)
            : optim.AdamW(parameters, 0.01, 0.8, 0.95, weight_decay: weightDecay);
        using var matrices = Torch(theirs.parameters().Where(parameter => parameter.dim() > 1), decay);
        using var others = Torch(theirs.parameters().Where(parameter => parameter.dim() <= 1), matricesOnly ? 0 : decay);
        var (average, kept, same) = (flat.Values.detach().clone(), flat.Values.detach().clone(), flat.Values.detach().clone());
        var (expected, first) = (average.clone(), average.clone());
        using var generator = new Generator(4);
        for (var step = 1; step <= 30; step++)
        {
            var (images, timesteps) = (randn([4, 1, 4, 4], generator: generator), randint(1000, [4], generator: generator));
            using (no_grad())
            {
                flat.Gradients.zero_();
            }

            ours.call(images, timesteps).square().mean().backward();
            theirs.zero_grad();
            theirs.call(images, timesteps).square().mean().backward();
            optimizer.Update(flat.Values, flat.Gradients, flat.Gradients.norm().item<float>(), 0.01, step, [(average, 0.3), (kept, 0), (same, 1)]);
            expected.lerp_(flat.Values, 0.3);
            if (clip is { } limit)
            {
                nn.utils.clip_grad_norm_(theirs.parameters(), limit);
            }

            matrices.step();
            others.step();
        }

        foreach (var (one, other) in ours.parameters().Zip(theirs.parameters()))
        {
            TensorAssert.Close(other, one, 1e-6, 1e-5, kind.ToString());
        }

        TensorAssert.Close(expected, average, 1e-7, 1e-6, "average");
        TensorAssert.Identical(first, kept, "weight 0");
        TensorAssert.Identical(flat.Values, same, "weight 1");
    }

    [Fact]
    public void FlatParameters_Network_ComputesAsBefore()
    {
        using var scope = NewDisposeScope();
        using var network = new TinyNetwork();
        var (images, timesteps) = (ones(2, 1, 4, 4), tensor([1L, 2L]));
        var before = network.call(images, timesteps);
        using var flat = new FlatParameters(network);
        TensorAssert.Identical(before, network.call(images, timesteps), "output");
        using (no_grad())
        {
            flat.Values.zero_();
        }

        Assert.Equal(0, network.call(images, timesteps).abs().max().item<float>());
    }

    [Fact]
    public void DecayAt_WarmUp_GrowsToTheDecay()
    {
        var options = new EmaOptions { Decay = 0.99 };
        Assert.Equal(0.1, options.DecayAt(0));
        Assert.Equal(2.0 / 11, options.DecayAt(1));
        Assert.Equal(0.99, options.DecayAt(1_000_000));
        Assert.Equal(0.99, (options with { WarmUp = false }).DecayAt(0));
    }

    [Fact]
    public void BatchOrder_EveryEpoch_SeesEachImageOnceInItsOwnOrder()
    {
        var order = new ShuffledOrder(count: 10, batchSize: 4, seed: 1);
        var seen = Enumerable.Range(0, 5).SelectMany(step => order.Indices(step)).ToArray(); // two epochs in five batches
        Assert.Equal(Enumerable.Range(0, 10), seen[..10].Order());
        Assert.Equal(Enumerable.Range(0, 10), seen[10..].Order());
        Assert.NotEqual(seen[..10], seen[10..]);
        Assert.Equal(seen[16..20], new ShuffledOrder(10, 4, 1).Indices(4));
        Assert.NotEqual(seen[..4], new ShuffledOrder(10, 4, 2).Indices(0));
    }
}
