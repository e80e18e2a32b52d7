using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

public static class Leaks
{
    /// <summary>Runs the work once to settle, then 100 times, and compares the number of live tensors.</summary>
    public static void AssertNone(Action work)
    {
        work();
        GC.Collect(); // what earlier tests left to the finalizer
        GC.WaitForPendingFinalizers();
        var before = LiveTensors.Settled();
        for (var i = 0; i < 100; i++)
        {
            work();
        }

        Assert.Equal(before, Tensor.TotalCount);
    }
}
