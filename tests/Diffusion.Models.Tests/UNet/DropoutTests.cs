using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class DropoutTests
{
    private static readonly LinearNoiseSchedule s_schedule = new();

    /// <summary>A thread that draws from libtorch's global generator all the time. Its masks would change with it, if they came from there.</summary>
    [Fact]
    public void Backward_CheckpointedWhileAnotherThreadDraws_HasTheGradientsOfOneRun()
    {
        using var scope = NewDisposeScope();
        using var plain = Build(checkpointed: false);
        using var checkpointed = Build(checkpointed: true);
        var (noisy, timesteps) = (Draw(2, 1, 16, 16), tensor([30L, 700L]));
        var stop = false;
        var other = new Thread(() =>
        {
            while (!Volatile.Read(ref stop))
            {
                rand(100).Dispose();
            }
        });
        other.Start();
        for (var repeat = 0; repeat < 20; repeat++)
        {
            var expected = Gradients(plain, noisy, timesteps, (ulong)repeat);
            var actual = Gradients(checkpointed, noisy, timesteps, (ulong)repeat);
            foreach (var (one, two) in expected.Zip(actual))
            {
                TensorAssert.Close(one, two, 1e-6, 1e-4, "gradient");
            }
        }

        Volatile.Write(ref stop, true);
        other.Join();
    }

    /// <summary>The masks are of the images of the step, not of the parts they go through in.</summary>
    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Steps_PartsOfABatch_TrainAsTheWhole(int part)
    {
        using var images = new Noises();
        using var whole = Build(checkpointed: false);
        using var parts = Build(checkpointed: true);
        using var one = new Trainer(whole, s_schedule, new TrainerOptions { Steps = 3, BatchSize = 4, LearningRate = 1e-3 });
        using var other = new Trainer(parts, s_schedule, new TrainerOptions { Steps = 3, BatchSize = 4, LearningRate = 1e-3, MicroBatchSize = part });

        var pairs = one.Steps(images).Zip(other.Steps(images)).ToList();

        Assert.Equal(3, pairs.Count);
        Assert.All(pairs, pair => Assert.Equal(pair.First.Loss, pair.Second.Loss, 1e-5));
        Assert.All(pairs, pair => Assert.Equal(pair.First.GradientNorm, pair.Second.GradientNorm, 1e-4));
    }

    /// <summary>A network in training mode that several threads sample at once: no thread's dropout is that of another.</summary>
    [Fact]
    public void Sample_SeveralThreadsAtOnce_DrawsWhatOneDoes()
    {
        using var network = Build(checkpointed: false, dropout: 0.5);
        var denoiser = new NetworkDenoiser(network, s_schedule);
        Tensor Draw(int seed) => new DdimSampler(steps: 8).Sample(denoiser, [1, 1, 16, 16], seed);
        Tensor[] alone = [.. Enumerable.Range(0, 4).Select(Draw)];
        Assert.True(network.training);
        using var start = new Barrier(4);
        for (var repeat = 0; repeat < 5; repeat++)
        {
            var together = new Tensor[4];
            Thread[] threads = [.. Enumerable.Range(0, 4).Select(seed => new Thread(() =>
            {
                start.SignalAndWait();
                together[seed] = Draw(seed);
            }))];
            Array.ForEach(threads, thread => thread.Start());
            Array.ForEach(threads, thread => thread.Join());
            for (var seed = 0; seed < 4; seed++)
            {
                TensorAssert.Identical(alone[seed], together[seed], $"image {seed}");
                together[seed].Dispose();
            }
        }

        Assert.True(network.training);
        Assert.All(network.modules(), module => Assert.True(module.training));
        Array.ForEach(alone, image => image.Dispose());
    }

    private static List<Tensor> Gradients(UNet network, Tensor noisy, Tensor timesteps, ulong seed)
    {
        network.zero_grad();
        using (LayerSeeds.OfStep(seed, 0))
        {
            network.call(noisy, timesteps).square().mean().backward();
        }

        return [.. network.parameters().Where(parameter => parameter.grad is not null).Select(parameter => parameter.grad!.clone())];
    }

    private static Tensor Draw(params long[] shape)
    {
        using var generator = new Generator(9, CPU);
        return randn(shape, generator: generator);
    }

    private static UNet Build(bool checkpointed, double dropout = 0.4) => UNetBuilder.From(new UNetOptions
    {
        Image = new ImageShape(1, 16, 16),
        StemChannels = 16,
        Down = [new() { Channels = 16, Layers = 2 }, new() { Channels = 32, Layers = 1 }],
        Mid = [new() { Channels = 32, Layers = 1 }],
        TimeDimension = 32,
        ZeroInitialize = false,
        Dialect = new() { Residual = new() { Dropout = dropout }, GradientCheckpointing = checkpointed },
    }).Build(seed: 2);

    private sealed class Noises : IImageSource
    {
        public string Name => "noise";

        public int Count => 16;

        public ImageShape Shape => new(1, 16, 16);

        public (double Min, double Max)? Range => null;

        public int Classes => 0;

        public ImageBatch Read(ReadOnlySpan<int> indices) => new(stack([.. indices.ToArray().Select(index => Draw(16, 1, 16, 16)[index])]));

        public void Dispose()
        {
        }
    }
}
