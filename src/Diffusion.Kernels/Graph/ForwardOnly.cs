using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Whether nothing of a forward pass is differentiated, so that blocks may run as one and convolutions may round more: without gradients, but not within a function of the graph or a part that gradient
/// checkpointing runs again.
/// </summary>
internal static class ForwardOnly
{
    [ThreadStatic]
    private static bool t_isOff;

    /// <summary>Whether it is so now, on this thread.</summary>
    public static bool IsOn => !t_isOff && !is_grad_enabled();

    /// <summary>Runs what belongs to a pass that is differentiated, though gradients may be off: the forward method of a function of the graph, or either run of a part that gradient checkpointing runs twice, which have to give the same.</summary>
    public static T Not<T>(Func<T> run)
    {
        var before = t_isOff;
        t_isOff = true;
        try
        {
            return run();
        }
        finally
        {
            t_isOff = before;
        }
    }
}
