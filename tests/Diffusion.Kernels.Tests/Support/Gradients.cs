using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>Gradients by <c>backward</c>: where an operation of this library fails in it, that is an exception with the reason; <c>autograd.grad</c> ends the process.</summary>
internal static class Gradients
{
    /// <summary>The gradients of ⟨output, direction⟩.</summary>
    /// <param name="output">A tensor.</param>
    /// <param name="leaves">What they are of; all require them.</param>
    /// <param name="direction">The shape of the output; <see langword="null"/> where that is one number.</param>
    /// <param name="again">Whether the graph is walked again.</param>
    /// <param name="differentiable">Whether the gradients are differentiated.</param>
    public static Tensor[] Of(Tensor output, IReadOnlyList<Tensor> leaves, Tensor? direction = null, bool again = false, bool differentiable = false)
    {
        BackwardPass.Failure = null;
        try
        {
            output.backward(direction is null ? null : [direction], retain_graph: again || differentiable, create_graph: differentiable, inputs: [.. leaves]);
        }
        catch (Exception error) when (BackwardPass.Failure is { } reason)
        {
            throw new InvalidOperationException($"{reason.Message} ({error.GetType().Name})", reason);
        }

        return [.. leaves.Select(Taken)];
    }

    private static Tensor Taken(Tensor leaf)
    {
        var gradient = leaf.grad!;
        leaf.grad = null;
        return gradient;
    }
}
