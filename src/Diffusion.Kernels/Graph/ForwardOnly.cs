using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Whether nothing of a forward pass is differentiated, so that blocks may run as one: without gradients, but not in the first run of a part that gradient checkpointing runs again,
/// which computes as the second one will.
/// </summary>
internal static class ForwardOnly
{
    [ThreadStatic]
    private static bool t_comesAgain;

    /// <summary>Whether it is so now, on this thread.</summary>
    public static bool IsOn => !t_comesAgain && !is_grad_enabled();

    /// <summary>Runs what is run again with gradients.</summary>
    public static T First<T>(Func<T> run)
    {
        var before = t_comesAgain;
        t_comesAgain = true;
        try
        {
            return run();
        }
        finally
        {
            t_comesAgain = before;
        }
    }
}
