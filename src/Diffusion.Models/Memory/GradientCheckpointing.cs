using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Runs a part of a network without keeping what its backward pass needs; the backward pass runs the part a second time. Memory then grows
/// with the inputs of the parts instead of with everything inside them, for the price of a second forward pass.
/// </summary>
/// <remarks>
/// Training Deep Nets with Sublinear Memory Cost, arXiv:1604.06174, section 4. The gradients of the part's parameters have the bits they
/// have without it, unless the part itself turns gradients off for some of its convolutions, which then round less; where a tensor enters several parts (a skip connection, the time embedding) its gradients are added in another order,
/// so that gradients before it agree to rounding. Dropout of this library's blocks draws the same in both runs, whoever else draws. What
/// other layers draw from libtorch's global generator on the CPU is the same, too, where no other thread of the program draws from it meanwhile.
/// </remarks>
internal static class GradientCheckpointing
{
    /// <summary>
    /// Why the last second run on this thread failed that did; <see langword="null"/> if none did. The backward pass itself then ends with
    /// libtorch's complaint of an invalid gradient: nothing else gets through its engine.
    /// </summary>
    public static Exception? SecondRunError => BackwardPass.Failure;

    /// <summary>Runs a part of a network.</summary>
    /// <param name="modules">The modules whose parameters <paramref name="forward"/> uses. They and the inputs must not change before the backward pass, of which there is one, without <c>create_graph</c>.</param>
    /// <param name="forward">From the inputs to the output, once now and once in the backward pass, with the same result. It may open and close a dispose scope and frees no input.</param>
    /// <param name="inputs">What enters, at least one tensor; all but integers may require gradients.</param>
    /// <returns>The output. Without gradients, or where nothing requires them, simply what <paramref name="forward"/> returns.</returns>
    /// <exception cref="ArgumentException">There is no input.</exception>
    public static Tensor Run(IReadOnlyList<nn.Module> modules, Func<IReadOnlyList<Tensor>, Tensor> forward, params Tensor[] inputs)
    {
        ArgumentNullException.ThrowIfNull(modules);
        ArgumentNullException.ThrowIfNull(forward);
        ArgumentNullException.ThrowIfNull(inputs);
        if (inputs.Length == 0)
        {
            throw new ArgumentException("A part of a network needs at least one input; there is none.", nameof(inputs));
        }

        var parameters = modules.SelectMany(module => module.parameters()).Where(parameter => parameter.requires_grad).Distinct<object>(ReferenceEqualityComparer.Instance).ToArray(); // modules may share some
        if (!is_grad_enabled() || (parameters.Length == 0 && !Array.Exists(inputs, input => input.requires_grad)))
        {
            return forward(inputs);
        }

        using var scope = NewDisposeScope();
        var output = RecomputedPart.apply([new RecomputedCall(forward, inputs.Length), .. inputs, .. parameters]);
        return output.MoveToOuterDisposeScope();
    }

    /// <summary>Runs a module of one input.</summary>
    /// <param name="part">The module.</param>
    /// <param name="input">What enters it.</param>
    /// <returns>Its output.</returns>
    public static Tensor Run(nn.Module<Tensor, Tensor> part, Tensor input) => Run([part], inputs => part.call(inputs[0]), [input]);

    /// <summary>Runs a module of two inputs.</summary>
    /// <param name="part">The module.</param>
    /// <param name="first">What enters it first.</param>
    /// <param name="second">What enters it second.</param>
    /// <returns>Its output.</returns>
    public static Tensor Run(nn.Module<Tensor, Tensor, Tensor> part, Tensor first, Tensor second) =>
        Run([part], inputs => part.call(inputs[0], inputs[1]), [first, second]);
}
