using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A matrix applied to every pixel of images [B, C, pixels] in float32 or bfloat16, on tiles, and its gradient.</summary>
internal abstract class PointwiseKernel : ITileKernel<PointwiseKernel>
{
    /// <summary>The pixels that an image must have: those of a tile.</summary>
    public const int FewestPixels = TilePanels.Lanes;

    public static PointwiseKernel Make<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> => new PointwiseKernel<T, TVector>();

    /// <summary>The form for images in bfloat16, or in float32.</summary>
    public static PointwiseKernel For(bool isNarrow) => TileKernel<PointwiseKernel>.For(isNarrow && TileSupport.MultipliesNarrow);

    /// <summary>y = matrix · x + bias.</summary>
    /// <param name="matrix">[outChannels, inChannels], with any dimensions of 1 after them, or its transpose; float32.</param>
    /// <param name="transposed">Whether it is the transpose: that makes the gradient of the input from that of the output.</param>
    /// <param name="bias">[outChannels], or null.</param>
    /// <param name="x">[images, inChannels, pixels].</param>
    /// <param name="y">[images, outChannels, pixels]; written.</param>
    /// <param name="isNarrow">Whether x and y are bfloat16.</param>
    /// <param name="size">Images, channels in and out (multiples of 16), pixels.</param>
    public abstract unsafe void Map(Tensor matrix, bool transposed, float* bias, nint x, nint y, bool isNarrow, (int Images, int In, int Out, int Pixels) size);

    /// <summary>The gradient of the matrix: Σ over images and pixels of direction · xᵀ.</summary>
    /// <param name="direction">[images, outChannels, pixels].</param>
    /// <param name="x">[images, inChannels, pixels].</param>
    /// <param name="isNarrow">Whether direction and x are bfloat16.</param>
    /// <param name="gradient">[outChannels, inChannels]; written.</param>
    /// <param name="size">Images, channels in and out (multiples of 16), pixels.</param>
    public abstract unsafe void OfMatrix(nint direction, nint x, bool isNarrow, float* gradient, (int Images, int In, int Out, int Pixels) size);
}
