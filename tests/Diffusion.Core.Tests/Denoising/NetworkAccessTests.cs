using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>A network that several threads use at once.</summary>
public sealed class NetworkAccessTests
{
    private static readonly NoiseLevel Level = new(0.8, 0.6, 100);

    private static readonly LinearNoiseSchedule s_schedule = new();

    [Fact]
    public void Predict_ManyThreads_NeverSeeDropout()
    {
        using var network = new DropoutNetwork();
        network.train();
        var denoiser = new NetworkDenoiser(network, s_schedule, Parameterization.Image);
        using var noisy = ones(1, 1, 4, 4);
        using var expected = denoiser.Denoise(noisy, Level);
        var different = 0;
        InThreads(4, _ =>
        {
            for (var i = 0; i < 200; i++)
            {
                using var image = denoiser.Denoise(noisy, Level);
                if (!image.allclose(expected, 0, 0))
                {
                    Interlocked.Increment(ref different);
                }
            }
        });
        Assert.Equal(0, different);
        Assert.True(network.training);
    }

    [Fact]
    public void Fit_WhileOthersSample_TrainsAsAlone()
    {
        using var images = new MemoryImages();
        List<double> Losses(bool sampled)
        {
            using var trainer = new Trainer(new TinyNetwork(), s_schedule, new TrainerOptions { Steps = 60, BatchSize = 8, LearningRate = 1e-2, Ema = new() { Decay = 0.9 } });
            var done = false;
            List<double> losses = [];
            InThreads(sampled ? 3 : 1, thread =>
            {
                if (thread == 0)
                {
                    losses.AddRange(trainer.Steps(images).Select(step => step.Loss));
                    Volatile.Write(ref done, true);
                }

                while (!Volatile.Read(ref done))
                {
                    // One with the averaged weights, one with those that are trained.
                    using var drawn = new DdimSampler(5).Sample(thread == 1 ? trainer.Ema : trainer.Denoiser, [2, 1, 4, 4], seed: 1);
                    Assert.True(drawn.isfinite().all().item<bool>());
                }
            });
            return losses;
        }

        Assert.Equal(Losses(sampled: false), Losses(sampled: true));
    }

    [Fact]
    public void Sample_AveragesAndWeightsInTurn_AreEachTheirOwn()
    {
        using var images = new MemoryImages();
        using var trainer = new Trainer(new TinyNetwork(), s_schedule, new TrainerOptions { Steps = 30, BatchSize = 8, LearningRate = 1e-2, Ema = new() { Decay = 0.9, Others = [new() { Decay = 0.5 }] } });
        trainer.Fit(images);
        IDenoiser[] all = [trainer.Denoiser, .. trainer.Averages];
        using var noisy = ones(1, 1, 4, 4);
        var expected = all.Select(denoiser => denoiser.Denoise(noisy, Level)).ToList();
        Assert.False(expected[0].allclose(expected[1]));
        InThreads(3, thread =>
        {
            for (var i = 0; i < 50; i++)
            {
                using var image = all[thread].Denoise(noisy, Level);
                TensorAssert.Identical(expected[thread], image, $"denoiser {thread}");
            }
        });

        // Within a run, too, in which the average stays in place between the steps.
        var steps = 0;
        new DdimSampler(4).Sample(trainer.Ema, [1, 1, 4, 4], seed: 1, onStep: _ =>
        {
            for (var i = 0; i < 3; i++)
            {
                using var image = all[i].Denoise(noisy, Level);
                TensorAssert.Identical(expected[i], image, $"denoiser {i} within a run");
            }

            steps++;
        }).Dispose();
        Assert.Equal(4, steps);
        using var weights = trainer.Denoiser.Denoise(noisy, Level);
        TensorAssert.Identical(expected[0], weights, "the weights are back");
        expected.ForEach(tensor => tensor.Dispose());
    }

    [Fact]
    public void Sample_AveragedWeights_ArePutInPlaceOnceARun()
    {
        using var network = new TinyNetwork();
        var access = NetworkAccess.Of(network);
        var weights = new CountedWeights();
        using (access.Keep())
        {
            for (var i = 0; i < 5; i++)
            {
                using (access.Evaluate(weights))
                {
                }
            }

            Assert.Equal((1, 0), (weights.In, weights.Out));
            using (access.Train())
            {
                Assert.Equal((1, 1), (weights.In, weights.Out));
            }
        }

        using (access.Evaluate(weights))
        {
            Assert.False(network.training);
        }

        Assert.Equal((2, 2), (weights.In, weights.Out));
        Assert.True(network.training);
    }

    [Fact]
    public void Fit_BeginsWhileARunHasTheAverageInPlace_Trains()
    {
        using var images = new MemoryImages();
        using var trainer = NewTrainer(new TinyNetwork(), 400);
        trainer.Fit(images, stopAfter: 5);
        var done = false;
        InThreads(2, thread =>
        {
            if (thread == 0)
            {
                for (var i = 0; i < 20; i++)
                {
                    trainer.Fit(images, stopAfter: 1);
                }

                Volatile.Write(ref done, true);
            }

            while (!Volatile.Read(ref done))
            {
                using var drawn = new DdimSampler(50).Sample(trainer.Ema, [1, 1, 4, 4], seed: 1);
            }
        });
        Assert.Equal(25, trainer.StepsDone);

        // And on one thread, between the steps of a run.
        new DdimSampler(3).Sample(trainer.Ema, [1, 1, 4, 4], seed: 1, onStep: _ => Assert.Single(trainer.Steps(images).Take(1))).Dispose();
        Assert.Equal(28, trainer.StepsDone);
    }

    [Fact]
    public void Sample_CallbacksAndOtherThreads_SeeAndChangeTheNetworksOwnWeights()
    {
        using var images = new MemoryImages();
        using var network = new TinyNetwork();
        using var trainer = NewTrainer(network, 30);
        trainer.Fit(images);
        using var before = Weights.Snapshot(network);
        new DdimSampler(3).Sample(trainer.Ema, [1, 1, 4, 4], seed: 1, onStep: _ =>
        {
            using var now = Weights.Snapshot(network);
            TensorAssert.Identical(before, now);
        }).Dispose();

        // While a run keeps the average in place, on another thread.
        using var kept = DenoiserRun.KeepWeights(trainer.Ema);
        using var noisy = ones(1, 1, 4, 4);
        using var average = trainer.Ema.Denoise(noisy, Level);
        InThreads(1, _ =>
        {
            using var now = Weights.Snapshot(network);
            TensorAssert.Identical(before, now);
            using var zero = new TensorDictionary(before.Select(entry => KeyValuePair.Create(entry.Key, zeros_like(entry.Value))));
            Weights.Load(network, zero);
        });
        using var again = trainer.Ema.Denoise(noisy, Level);
        TensorAssert.Identical(average, again, "the average was not written to");
    }

    [Fact]
    public void Dispose_TrainerWhoseAverageIsInPlace_LeavesAUsableNetwork()
    {
        using var images = new MemoryImages();
        using var network = new TinyNetwork();
        using var noisy = ones(1, 1, 4, 4);
        var trainer = NewTrainer(network, 30);
        trainer.Fit(images);
        var plain = new NetworkDenoiser(network, s_schedule);
        using var expected = plain.Denoise(noisy, Level);
        var ema = trainer.Ema;
        using (DenoiserRun.KeepWeights(ema))
        {
            ema.Denoise(noisy, Level).Dispose();
            trainer.Dispose();
            Assert.Throws<ObjectDisposedException>(() => ema.Denoise(noisy, Level));
            using var actual = plain.Denoise(noisy, Level);
            TensorAssert.Identical(expected, actual, "the weights as trained");
        }

        using var second = NewTrainer(network, 5);
        second.Fit(images);
        Assert.Equal(5, second.StepsDone);
    }

    [Fact]
    public void Step_NetworkThatAnotherTrainerTookOver_IsRefused()
    {
        using var images = new MemoryImages();
        using var network = new TinyNetwork();
        using var first = NewTrainer(network, 30);
        using var steps = first.Steps(images).GetEnumerator();
        Assert.True(steps.MoveNext());
        using var second = NewTrainer(network, 30);
        Assert.Contains("another trainer", Assert.Throws<InvalidOperationException>(() => steps.MoveNext()).Message, StringComparison.Ordinal);
        using var noisy = ones(1, 1, 4, 4);
        Assert.Throws<InvalidOperationException>(() => first.Ema.Denoise(noisy, Level));
        second.Fit(images, stopAfter: 1);
        Assert.Equal(1, second.StepsDone);
    }

    /// <summary>Who waits for the network may have locked the source: an evaluation that reads holds nobody up.</summary>
    [Fact]
    public void Evaluate_WhileItReads_LeavesTheNetworkToOthers()
    {
        using var network = new TinyNetwork();
        using var trainer = NewTrainer(network, 5);
        using var images = new AskingImages(() =>
        {
            var step = new Thread(() => NetworkAccess.Of(network).Train().Dispose()) { IsBackground = true };
            step.Start();
            Assert.True(step.Join(TimeSpan.FromSeconds(30)), "A training step waits for a batch that an evaluation reads.");
        });
        Assert.True(double.IsFinite(trainer.Evaluate(images, 8)));
    }

    [Fact]
    public void Evaluate_WeightsThatFail_LeaveNobodyWaiting()
    {
        using var network = new TinyNetwork();
        var access = NetworkAccess.Of(network);
        var broken = new BrokenWeights();
        using (access.Keep())
        {
            using (access.Evaluate(broken))
            {
            }

            Assert.Throws<InvalidDataException>(() => access.Train().Dispose());
            using (access.Train())
            {
            }

            using (access.Evaluate())
            {
            }
        }
    }

    [Fact]
    public void Evaluate_WithinATrainingStep_IsRefused()
    {
        using var network = new TinyNetwork();
        var access = NetworkAccess.Of(network);
        using (access.Train())
        {
            Assert.Contains("training step", Assert.Throws<InvalidOperationException>(() => access.Evaluate().Dispose()).Message, StringComparison.Ordinal);
        }

        using (access.Evaluate())
        {
            Assert.Throws<InvalidOperationException>(() => access.Train().Dispose());
            Assert.Throws<InvalidOperationException>(() => access.Evaluate(new CountedWeights()).Dispose());
        }
    }

    private static Trainer NewTrainer(TinyNetwork network, int steps) =>
        new(network, s_schedule, new TrainerOptions { Steps = steps, BatchSize = 8, LearningRate = 1e-2, Ema = new() { Decay = 0.9 } });

    private static void InThreads(int count, Action<int> work)
    {
        Exception? failure = null;
        var threads = Enumerable.Range(0, count).Select(i => new Thread(() =>
        {
            try
            {
                work(i);
            }
            catch (Exception e) // told below, on the thread of the test
            {
                failure = e;
            }
        })).ToList();
        threads.ForEach(thread => thread.Start());
        threads.ForEach(thread => thread.Join());
        Assert.Null(failure);
    }

    /// <summary>Images that do something while they are read.</summary>
    private sealed class AskingImages(Action ask) : IImageSource
    {
        private readonly MemoryImages _images = new();

        public string Name => "asking";

        public int Count => _images.Count;

        public ImageShape Shape => _images.Shape;

        public int Classes => 0;

        public ImageBatch Read(ReadOnlySpan<int> indices)
        {
            ask();
            return _images.Read(indices);
        }

        public void Dispose() => _images.Dispose();
    }

    private sealed class BrokenWeights : IWeightSet
    {
        public void PutIn()
        {
        }

        public void TakeOut() => throw new InvalidDataException("broken");
    }

    private sealed class CountedWeights : IWeightSet
    {
        public int In { get; private set; }

        public int Out { get; private set; }

        public void PutIn() => In++;

        public void TakeOut() => Out++;
    }

    private sealed class DropoutNetwork : nn.Module<Tensor, Tensor, Tensor>
    {
        [ComponentName(Name = "dropout")]
        private readonly TorchSharp.Modules.Dropout _dropout = nn.Dropout(0.5);

        public DropoutNetwork()
            : base(nameof(DropoutNetwork)) => RegisterComponents();

        public override Tensor forward(Tensor images, Tensor timesteps) => _dropout.call(images);
    }
}
