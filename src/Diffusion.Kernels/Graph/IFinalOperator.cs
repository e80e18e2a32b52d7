using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>An operator that knows its gradients, and so needs to keep less than libtorch does: the end of a <see cref="RecomputedInput"/>.</summary>
internal interface IFinalOperator
{
    /// <summary>Its trainable parameters.</summary>
    IReadOnlyList<Tensor> Parameters { get; }

    /// <summary>The output, through operations that libtorch can differentiate any number of times.</summary>
    /// <param name="inputs">What enters.</param>
    /// <param name="parameters">As many as <see cref="Parameters"/>.</param>
    Tensor Differentiable(IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters);

    /// <summary>The output, without gradients.</summary>
    /// <param name="inputs">What enters.</param>
    /// <param name="parameters">As many as <see cref="Parameters"/>.</param>
    /// <returns>The output, and what the gradients need beside the inputs and parameters.</returns>
    (Tensor Output, IReadOnlyList<Tensor> Kept) Forward(IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters);

    /// <summary>The gradients of ⟨output, direction⟩.</summary>
    /// <param name="direction">The shape of the output.</param>
    /// <param name="inputs">What entered.</param>
    /// <param name="parameters">Those of the forward pass, whatever the module holds by now.</param>
    /// <param name="kept">What <see cref="Forward"/> kept.</param>
    /// <returns>Those of the inputs and those of the parameters.</returns>
    (IReadOnlyList<Tensor> Inputs, IReadOnlyList<Tensor> Parameters) Backward(Tensor direction, IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters, IReadOnlyList<Tensor> kept);
}
