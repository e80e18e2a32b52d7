using static TorchSharp.torch;

namespace Diffusion.Tests;

/// <summary>Counts living tensors.</summary>
internal static class Leaks
{
    /// <summary>Fails unless the work leaves as many tensors alive as there were. It is done once before, for what is made only once.</summary>
    public static void None(Action work)
    {
        work();
        GC.Collect(); // what earlier tests left to finalizers
        GC.WaitForPendingFinalizers();
        var before = LiveTensors.Settled();
        work();
        Assert.Equal(before, Tensor.TotalCount);
    }
}
