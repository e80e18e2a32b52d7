using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Counts living tensors.</summary>
public static class LiveTensors
{
    /// <summary>How many there are once finalizers have freed what earlier tests left to them, so that none disappears during the test that counts.</summary>
    public static long Settled()
    {
        // What finalizers free may keep something else that has one.
        for (var (count, same) = (-1L, 0); ;)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            same = Tensor.TotalCount == count ? same + 1 : 0;
            count = Tensor.TotalCount;
            if (same == 2)
            {
                return count;
            }
        }
    }
}
