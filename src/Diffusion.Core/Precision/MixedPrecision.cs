using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// The precision in which networks compute on this thread. The layers of Diffusion.Models follow it; a network of your own does if it asks
/// <see cref="Current"/>, and on the CPU <see cref="Processor.UsesBFloat16"/>: where it is false, layers compute in float32. Weights, gradients, the loss, the optimizer and checkpoints are float32 in every precision.
/// </summary>
/// <remarks>Mixed Precision Training, arXiv:1710.03740; with bfloat16, which needs no scaling of the loss: arXiv:1905.12322.</remarks>
internal static class MixedPrecision
{
    [ThreadStatic]
    private static ComputePrecision t_current;

    /// <summary>The precision on this thread; <see cref="ComputePrecision.Float32"/> where none was chosen.</summary>
    public static ComputePrecision Current => t_current;

    /// <summary>Chooses a precision until the result is disposed: <c>using var precision = MixedPrecision.Use(ComputePrecision.BFloat16);</c></summary>
    /// <param name="precision">The precision. It is that of the forward pass which counts; the backward pass follows.</param>
    /// <returns>What puts the precision of before back. It cannot leave the method that asked for it, and so not the thread.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such precision.</exception>
    public static PrecisionScope Use(ComputePrecision precision)
    {
        var before = t_current;
        t_current = Enum.IsDefined(precision) ? precision : throw new ArgumentOutOfRangeException(nameof(precision), precision, "There is no such precision.");
        return new PrecisionScope(before);
    }

    /// <summary>
    /// A weight in bfloat16, for layers that compute in it: rounded in each call where gradients are taken, so that they reach the weight; once a run while a sampler runs
    /// on the CPU. Training and <see cref="Weights.Load"/> between two steps of a run are noticed; a weight that you change yourself in the middle of one is not.
    /// </summary>
    /// <param name="weight">The weight.</param>
    /// <returns>The shape of the weight. It belongs to the run or to the current dispose scope: do not dispose it.</returns>
    public static Tensor Round(Tensor weight)
    {
        ArgumentNullException.ThrowIfNull(weight);
        return PreparedWeights.Get(weight, nameof(ScalarType.BFloat16), static values => values.to(ScalarType.BFloat16));
    }

    internal static void Restore(ComputePrecision precision) => t_current = precision;
}
