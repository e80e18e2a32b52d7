using System.Diagnostics;
using TorchSharp;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class MemoryTests(ITestOutputHelper output)
{
    private const double MostDrift = 0.01;

    [Fact]
    public void TenThousandTrainingSteps_AndTwoHundredSamplingSteps_LeaveTensorsAndMemoryFlat()
    {
        using var network = new TinyNetwork();
        using var images = new MemoryImages();
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), new TrainerOptions { Steps = 13_000, BatchSize = 8, MicroBatchSize = 5, Optimizer = new() { GradientClip = 1 }, Ema = new() { Others = [new() { RelativeWidth = 0.1 }] } });
        using var steps = trainer.Steps(images).GetEnumerator();
        Train(3000);
        var (tensors, memory) = (LiveTensors.Settled(), Memory());
        Train(10_000);
        Report("10,000 training steps", tensors, memory);

        Sample();
        (tensors, memory) = (LiveTensors.Settled(), Memory());
        Sample();
        Report("200 sampling steps", tensors, memory);

        void Train(int count)
        {
            for (var i = 0; i < count; i++)
            {
                Assert.True(steps.MoveNext());
            }
        }

        void Sample()
        {
            using var result = new DdpmSampler(200).Sample(trainer.Ema, [8, 1, 4, 4], seed: 1);
        }
    }

    private static long Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
        using var process = Process.GetCurrentProcess();
        return process.WorkingSet64;
    }

    private void Report(string what, long tensors, long memory)
    {
        var (moreTensors, moreMemory) = (LiveTensors.Settled() - tensors, Memory() - memory);
        var line = $"{what}: live tensors {tensors} → {tensors + moreTensors}, process memory {memory >> 10} → {(memory + moreMemory) >> 10} KB";
        output.WriteLine(line);
        Assert.True(moreTensors == 0 && moreMemory < MostDrift * memory, line);
    }
}
