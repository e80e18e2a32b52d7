using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class MemoryTests(ITestOutputHelper output)
{
    private const double MostDrift = 0.01; // of ten times the typical change
    private const double MostAtOnce = 0.1;

    [Fact]
    public void TenThousandTrainingSteps_AndTwoHundredSamplingSteps_LeaveTensorsAndMemoryFlat()
    {
        using var network = new TinyNetwork();
        using var images = new MemoryImages();
        using var trainer = new Trainer(network, new LinearNoiseSchedule(), new TrainerOptions { Steps = 14_000, BatchSize = 8, MicroBatchSize = 5, Optimizer = new() { GradientClip = 1 }, Ema = new() { Others = [new() { RelativeWidth = 0.1 }] } });
        Train(3000);
        Watch("10,000 training steps", () => Train(1000));
        Watch("200 sampling steps", Sample);

        // An enumeration that ends frees what it read ahead.
        void Train(int count) => Assert.Equal(count, trainer.Steps(images).Take(count).Count());

        void Sample()
        {
            using var result = new DdpmSampler(20).Sample(trainer.Ema, [8, 1, 4, 4], seed: 1);
        }
    }

    /// <summary>
    /// Ten times the work, with memory before and after each. What leaks grows every time, so the median of the ten changes decides; a thread or a compiled method that takes some megabytes once
    /// does not matter. What the collector keeps for itself does not count, what is alive in it does.
    /// </summary>
    private void Watch(string what, Action tenth)
    {
        tenth();
        var tensors = LiveTensors.Settled();
        List<(long Native, long Managed)> memory = [Memory()];
        for (var i = 0; i < 10; i++)
        {
            tenth();
            memory.Add(Memory());
        }

        var more = LiveTensors.Settled() - tensors;
        output.WriteLine($"{what}: live tensors {tensors} → {tensors + more}");
        Assert.Equal(0, more);
        AssertFlat($"{what}: process memory without the collector's", [.. memory.Select(values => values.Native)]);
        AssertFlat($"{what}: objects", [.. memory.Select(values => values.Managed)]);
    }

    private void AssertFlat(string what, long[] bytes)
    {
        var typical = bytes.Zip(bytes.Skip(1), (before, after) => after - before).Order().ElementAt(bytes.Length / 2);
        var line = $"{what} {bytes[0] >> 10} → {bytes[^1] >> 10} KB ({string.Join(", ", bytes.Select(value => value >> 10))})";
        output.WriteLine(line);
        Assert.True(typical * (bytes.Length - 1) < MostDrift * bytes[0] && bytes[^1] - bytes[0] < MostAtOnce * bytes[0], line);
    }

    private static (long Native, long Managed) Memory()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        GC.WaitForPendingFinalizers();
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        using var process = Process.GetCurrentProcess();
        return (process.WorkingSet64 - GC.GetGCMemoryInfo().TotalCommittedBytes, GC.GetTotalMemory(forceFullCollection: false));
    }
}
