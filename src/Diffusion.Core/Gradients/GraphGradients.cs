using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Gradients as a value, in place of <c>autograd.grad</c>: TorchSharp 0.107 calls it without catching what libtorch throws, so that any error in a backward pass ends the process.
/// TorchScript has the same operator and catches. <c>backward</c> with <c>inputs</c> catches, too, but leaves the gradients of parameters in <c>.grad</c>, where other threads and the
/// caller's own gradients are.
/// </summary>
internal static class GraphGradients
{
    private const string Plain = "plain";
    private const string Kept = "kept";
    private const string Differentiable = "differentiable";
    private const string Partial = "partial";
    private const string Cause = "RuntimeError: "; // in TorchScript's messages, after where in the script it was

    // No gradient is of booleans, which TorchScript knows as 11: they mark inputs that do not reach the outputs.
    private static readonly Lazy<jit.CompilationUnit> s_script = new(() => jit.compile($"""
        def grad(outputs: List[Tensor], inputs: List[Tensor], directions: List[Tensor], keep: bool, graph: bool, unused: bool) -> List[Tensor]:
            wanted: List[Optional[Tensor]] = []
            for direction in directions:
                wanted.append(direction)
            found: List[Tensor] = []
            for gradient in torch.autograd.grad(outputs, inputs, wanted, keep, graph, unused):
                found.append(gradient if gradient is not None else torch.empty([0], dtype=11))
            return found

        def {Plain}(outputs: List[Tensor], inputs: List[Tensor], directions: List[Tensor]) -> List[Tensor]:
            return grad(outputs, inputs, directions, False, False, False)

        def {Kept}(outputs: List[Tensor], inputs: List[Tensor], directions: List[Tensor]) -> List[Tensor]:
            return grad(outputs, inputs, directions, True, False, False)

        def {Differentiable}(outputs: List[Tensor], inputs: List[Tensor], directions: List[Tensor]) -> List[Tensor]:
            return grad(outputs, inputs, directions, True, True, False)

        def {Partial}(outputs: List[Tensor], inputs: List[Tensor], directions: List[Tensor]) -> List[Tensor]:
            return grad(outputs, inputs, directions, False, False, True)

        """), LazyThreadSafetyMode.PublicationOnly); // a failure is not kept: the next caller compiles again

    /// <summary>The gradients of Σ ⟨output, direction⟩, which reaches every input. The graph is freed.</summary>
    /// <param name="outputs">Of the graph.</param>
    /// <param name="inputs">Tensors that require gradients; their <c>.grad</c> is not touched.</param>
    /// <param name="directions">The shapes of the outputs; none where the outputs are single numbers.</param>
    /// <returns>One for each input, in the dispose scope.</returns>
    /// <exception cref="ExternalException">libtorch failed.</exception>
    public static Tensor[] Of(Tensor[] outputs, Tensor[] inputs, params Tensor[] directions) => Run(Plain, outputs, inputs, directions);

    /// <summary>As <see cref="Of"/>, and the graph stays, for other directions.</summary>
    /// <param name="outputs">As for <see cref="Of"/>.</param>
    /// <param name="inputs">As for <see cref="Of"/>.</param>
    /// <param name="directions">As for <see cref="Of"/>.</param>
    /// <returns>As of <see cref="Of"/>.</returns>
    /// <exception cref="ExternalException">libtorch failed.</exception>
    public static Tensor[] KeptOf(Tensor[] outputs, Tensor[] inputs, params Tensor[] directions) => Run(Kept, outputs, inputs, directions);

    /// <summary>As <see cref="Of"/>, with gradients that have derivatives themselves; the graph stays.</summary>
    /// <param name="outputs">As for <see cref="Of"/>.</param>
    /// <param name="inputs">As for <see cref="Of"/>.</param>
    /// <param name="directions">As for <see cref="Of"/>.</param>
    /// <returns>As of <see cref="Of"/>.</returns>
    /// <exception cref="ExternalException">libtorch failed.</exception>
    public static Tensor[] DifferentiableOf(Tensor[] outputs, Tensor[] inputs, params Tensor[] directions) => Run(Differentiable, outputs, inputs, directions);

    /// <summary>As <see cref="Of"/>, with <see langword="null"/> for inputs that do not reach the outputs.</summary>
    /// <param name="outputs">As for <see cref="Of"/>.</param>
    /// <param name="inputs">As for <see cref="Of"/>.</param>
    /// <param name="directions">As for <see cref="Of"/>.</param>
    /// <returns>As of <see cref="Of"/>.</returns>
    /// <exception cref="ExternalException">libtorch failed.</exception>
    public static Tensor?[] PartialOf(Tensor[] outputs, Tensor[] inputs, params Tensor[] directions) =>
        Array.ConvertAll(Run(Partial, outputs, inputs, directions), gradient => gradient.dtype == ScalarType.Bool ? null : gradient);

    private static Tensor[] Run(string function, Tensor[] outputs, Tensor[] inputs, Tensor[] directions)
    {
        try
        {
            return (Tensor[])s_script.Value.invoke(function, outputs, inputs, directions);
        }
        catch (ExternalException error) when (error.Message.LastIndexOf(Cause, StringComparison.Ordinal) is >= 0 and var at)
        {
#pragma warning disable CA2201 // the type of all errors of libtorch
            throw new ExternalException(error.Message[(at + Cause.Length)..].TrimEnd(), error);
#pragma warning restore CA2201
        }
        finally
        {
            GC.KeepAlive(outputs);
            GC.KeepAlive(inputs);
            GC.KeepAlive(directions);
        }
    }
}
