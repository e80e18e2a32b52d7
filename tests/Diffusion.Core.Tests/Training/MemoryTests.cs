using System.Diagnostics;
using TorchSharp;
using Xunit.Abstractions;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class MemoryTests(ITestOutputHelper output)
{
    [Fact]
    public void ThousandTrainingSteps_AndTwoHundredSamplingSteps_LeaveTensorsAndMemoryFlat()
    {
        using var network = new TinyNetwork();
        using var images = new MemoryImages();
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), new TrainerOptions { Steps = 1200, BatchSize = 8 });
        Train(200);
        var (tensors, memory) = (Tensor.TotalCount, Memory());
        Train(1000);
        Report("1,000 training steps", tensors, memory, mostTensors: 0);

        Sample();
        (tensors, memory) = (Tensor.TotalCount, Memory());
        Sample();
        Report("200 sampling steps", tensors, memory, mostTensors: 0);

        // An enumeration that ends frees what it read ahead.
        void Train(int count) => Assert.Equal(count, trainer.Steps(images).Take(count).Count());

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

    private void Report(string what, long tensors, long memory, long mostTensors)
    {
        var (moreTensors, moreMemory) = (Tensor.TotalCount - tensors, Memory() - memory);
        var line = $"{what}: live tensors {tensors} → {tensors + moreTensors}, process memory {memory >> 20} → {(memory + moreMemory) >> 20} MB";
        output.WriteLine(line);
        Assert.True(moreTensors <= mostTensors && moreMemory < 32 << 20, line);
    }
}
