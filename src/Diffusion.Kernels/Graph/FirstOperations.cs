using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>The cheap operations before the expensive one of a <see cref="RecomputedInput"/>: the same in a second run, and a function of what they are given alone.</summary>
/// <param name="inputs">What enters.</param>
/// <param name="parameters">Their parameters.</param>
/// <returns>What enters the expensive operation.</returns>
internal delegate Tensor[] FirstOperations(IReadOnlyList<Tensor> inputs, IReadOnlyList<Tensor> parameters);
