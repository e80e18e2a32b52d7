using BenchmarkDotNet.Attributes;
using Diffusion.Models;

namespace Diffusion.Benchmarks;

/// <summary>A checkpoint of a training run of the reference network: weights, average, optimizer state.</summary>
public class CheckpointBenchmarks
{
    private TemporaryFolder _folder = null!;
    private UNet _unet = null!;
    private Trainer _trainer = null!;

    /// <summary>Makes a trainer, and a checkpoint to load.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var size = SuiteParameters.Size;
        _folder = new TemporaryFolder();
        _unet = UNetBuilder.From(size.Network.Ours(size.Image)).Build();
        _trainer = new Trainer(_unet, new LinearNoiseSchedule());
        _trainer.Save(_folder.File("load"));
    }

    /// <summary>Writes one, flushed to the disk.</summary>
    [Benchmark]
    public void Save() => _trainer.Save(_folder.File("save"));

    /// <summary>Finds the newest, checks and loads it.</summary>
    [Benchmark]
    public bool Resume() => _trainer.Resume(_folder.File("load"));

    /// <summary>Frees the network and deletes the files.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _trainer.Dispose();
        _unet.Dispose();
        _folder.Dispose();
    }
}
