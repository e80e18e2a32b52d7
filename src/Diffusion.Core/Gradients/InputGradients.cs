using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Whether denoisers let gradients through to the noisy samples that they are given, on this thread. They do not, unless somebody wants them: then networks stay as they were evaluated,
/// with their averaged weights in place, until the gradients have been taken.
/// </summary>
internal static class InputGradients
{
    [ThreadStatic]
    private static List<Action>? t_held;

    /// <summary>Lets gradients through until the result is disposed: <c>using var wanted = InputGradients.Want();</c></summary>
    /// <returns>What ends the evaluations that were begun, on the same thread.</returns>
    public static WantedInputGradients Want()
    {
        var before = t_held;
        t_held = [];
        return new WantedInputGradients(before);
    }

    /// <summary>Whether somebody wants them on this thread.</summary>
    public static bool AreWanted => t_held is not null;

    /// <summary>Turns gradients off, unless they are wanted.</summary>
    public static IDisposable? Off() => AreWanted ? null : no_grad();

    /// <summary>Puts the end of an evaluation off until the gradients, which are wanted, have been taken.</summary>
    /// <param name="end">What ends it.</param>
    public static void PutOff(Action end) => t_held!.Add(end);

    internal static void Restore(List<Action>? before)
    {
        var held = t_held!;
        t_held = before;
        held.ForEach(end => end());
    }
}
