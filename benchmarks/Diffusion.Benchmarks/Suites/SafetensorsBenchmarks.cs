using BenchmarkDotNet.Attributes;
using Diffusion.Models;

namespace Diffusion.Benchmarks;

/// <summary>The weights of the reference network in a safetensors file.</summary>
public class SafetensorsBenchmarks
{
    private TemporaryFolder _folder = null!;
    private UNet _unet = null!;

    private string Path => _folder.File("model.safetensors");

    /// <summary>Writes the file.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var size = SuiteParameters.Size;
        _folder = new TemporaryFolder();
        _unet = UNetBuilder.From(size.Network.Ours(size.Image)).Build();
        Save();
    }

    /// <summary>Opens the file and reads the header: the tensors are mapped, not read.</summary>
    [Benchmark]
    public void Open() => SafetensorsFile.Open(Path).Dispose();

    /// <summary>All tensors.</summary>
    [Benchmark]
    public void Load() => Safetensors.Load(Path).Dispose();

    /// <summary>All tensors, copied into the network.</summary>
    [Benchmark]
    public void LoadIntoNetwork()
    {
        using var weights = Safetensors.Load(Path);
        Weights.Load(_unet, weights);
    }

    /// <summary>Writes all tensors.</summary>
    [Benchmark]
    public void Save() => Safetensors.Save(Path, _unet.state_dict());

    /// <summary>Frees the network and deletes the file.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        _unet.Dispose();
        _folder.Dispose();
    }
}
