using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Counts living tensors.</summary>
public static class LiveTensors
{
    /// <summary>How many there are once finalizers have freed what earlier tests left to them, so that none disappears during the test that counts.</summary>
    public static long Settled()
    {
        for (var i = 0; i < 2; i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }

        return Tensor.TotalCount;
    }
}
