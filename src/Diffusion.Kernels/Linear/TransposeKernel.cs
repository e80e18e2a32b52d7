using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Channels of pixels to pixels of channels and back, as dense tensors without a graph.</summary>
internal abstract class TransposeKernel : ITileKernel<TransposeKernel>
{
    public static TransposeKernel Make<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> => new TransposeKernel<T, TVector>();

    /// <summary>The form for the level in use.</summary>
    public static TransposeKernel Current => TileKernel<TransposeKernel>.For(multipliesNarrow: false);

    /// <summary>Whether it reads such values here.</summary>
    public static bool CanRun(Tensor values) =>
        TileSupport.Runs && values.device_type == TorchSharp.DeviceType.CPU && values.dtype is ScalarType.Float32 or ScalarType.BFloat16 && values.dim() == 3 && values.is_contiguous()
        && values.numel() is > 0 and < int.MaxValue / sizeof(float);

    /// <summary>Turns each matrix around.</summary>
    /// <param name="values">[B, rows, columns], where <see cref="CanRun"/> says so.</param>
    /// <returns>[B, columns, rows], contiguous, in the type of the values.</returns>
    public abstract Tensor Transposed(Tensor values);
}
