using BenchmarkDotNet.Attributes;

namespace Diffusion.Benchmarks;

/// <summary>A suite of the reference network, of this library and eager.</summary>
public abstract class NetworkSuite : DeviceSuite
{
    private protected ReferencePair Networks { get; private set; } = null!;

    private protected RandomImages Images { get; private set; } = null!;

    /// <summary>Makes the networks and a batch.</summary>
    [GlobalSetup]
    public void Setup()
    {
        var size = SuiteParameters.Size;
        Networks = new ReferencePair(size.Network, size.Image, Target);
        Images = new RandomImages(Networks.Image, Batch, Target);
        Prepare();
    }

    /// <summary>Frees them.</summary>
    [GlobalCleanup]
    public void Cleanup()
    {
        Release();
        Images.Dispose();
        Networks.Dispose();
    }

    private protected virtual void Prepare()
    {
    }

    private protected virtual void Release()
    {
    }
}
