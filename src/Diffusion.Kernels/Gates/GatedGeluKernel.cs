using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Values times the GELU of gates, and the gradient, without a graph.</summary>
internal abstract class GatedGeluKernel : ITileKernel<GatedGeluKernel>
{
    public static GatedGeluKernel Make<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> => new GatedGeluKernel<T, TVector>();

    /// <summary>The form for values of a type.</summary>
    public static GatedGeluKernel For(Tensor halves) => TileKernel<GatedGeluKernel>.For(halves.dtype == ScalarType.BFloat16 && TileSupport.MultipliesNarrow);

    /// <summary>Whether it runs here and reads such values.</summary>
    public static bool CanRun(Tensor halves) =>
        TileSupport.Runs && halves.device_type == TorchSharp.DeviceType.CPU && halves.dtype is ScalarType.Float32 or ScalarType.BFloat16
        && halves.dim() > 0 && halves.size(-1) % 2 == 0 && halves.is_contiguous() && halves.numel() is > 0 and < int.MaxValue / sizeof(float);

    /// <summary>values ⊙ GELU(gates).</summary>
    /// <param name="halves">Values and after them gates, […, 2·C].</param>
    /// <returns>[…, C] in the type of the input.</returns>
    public abstract Tensor Forward(Tensor halves);

    /// <summary>The gradient of ⟨output, direction⟩.</summary>
    /// <param name="halves">As for <see cref="Forward"/>.</param>
    /// <param name="direction">[…, C], contiguous, in the type of the input.</param>
    /// <returns>The shape and the type of the input.</returns>
    public abstract Tensor Gradient(Tensor halves, Tensor direction);
}
