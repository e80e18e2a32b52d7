using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Gradients that functions of the graph return to the backward pass: nobody disposes them there, but once the next are returned, libtorch has its own references.</summary>
internal static class ReturnedGradients
{
    [ThreadStatic]
    private static List<Tensor?>? t_last;

    /// <summary>Returns gradients, which must be outside of every dispose scope, after the arguments that have none.</summary>
    /// <param name="without">How many arguments before the tensors have no gradients.</param>
    /// <param name="gradients">Of the tensors; <see langword="null"/> for those that need none.</param>
    public static List<Tensor> Return(int without, IEnumerable<Tensor?> gradients)
    {
        var last = t_last;
        t_last = [.. gradients];
        last?.ForEach(gradient => gradient?.Dispose());
        return [.. Enumerable.Repeat<Tensor>(null!, without), .. t_last.Select(gradient => gradient!)];
    }
}
