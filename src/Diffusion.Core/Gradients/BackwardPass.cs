namespace Diffusion;

/// <summary>What code around a forward pass and layers tell each other about the backward pass that follows, on this thread.</summary>
internal static class BackwardPass
{
    [ThreadStatic]
    private static bool t_once;

    [ThreadStatic]
    private static Exception? t_failure;

    /// <summary>Whether the graph that is being made will be walked backward once: layers may then release what they kept while the backward pass is under way.</summary>
    public static bool ExpectsOne => t_once;

    /// <summary>
    /// Why a function of the graph written in .NET failed, the last one on this thread that did. No exception gets through libtorch's engine: the backward pass itself ends with
    /// its complaint of an invalid gradient.
    /// </summary>
    public static Exception? Failure
    {
        get => t_failure;
        set => t_failure = value;
    }

    /// <summary>
    /// Expects one backward pass over the graph that is made until the result is disposed: <c>using var once = BackwardPass.ExpectOne();</c> A second pass over it then fails.
    /// The trainer does so; training loops of one's own that walk each graph once save memory by it.
    /// </summary>
    /// <returns>What puts the expectation of before back. It cannot leave the method that asked for it, and so not the thread.</returns>
    public static OneBackward ExpectOne()
    {
        var before = t_once;
        t_once = true;
        return new OneBackward(before);
    }

    internal static void Restore(bool once) => t_once = once;
}
