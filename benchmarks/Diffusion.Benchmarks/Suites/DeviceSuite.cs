using BenchmarkDotNet.Attributes;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A suite over devices, number formats and batches.</summary>
public abstract class DeviceSuite
{
    /// <summary>The devices of this machine.</summary>
    public static IEnumerable<string> Devices => SuiteParameters.Devices;

    /// <summary>The number formats in which the suite runs: those that networks compute in.</summary>
    public virtual IEnumerable<NumberFormat> Formats => NumberFormats.All.Where(SuiteParameters.Trains);

    /// <summary>The images of a batch.</summary>
    public abstract IEnumerable<int> Batches { get; }

    /// <summary>Where the suite computes.</summary>
    [ParamsSource(nameof(Devices))]
    public string Device { get; set; } = "cpu";

    /// <summary>What it computes in; the eager baseline of networks is in single precision.</summary>
    [ParamsSource(nameof(Formats))]
    public NumberFormat Format { get; set; }

    /// <summary>The number of images.</summary>
    [ParamsSource(nameof(Batches))]
    public int Batch { get; set; }

    private protected Device Target => device(Device);

    /// <summary>Waits for the device: CUDA's calls return before the work is done.</summary>
    private protected void Synchronize()
    {
        if (Target.type == TorchSharp.DeviceType.CUDA)
        {
            cuda.synchronize();
        }
    }
}
