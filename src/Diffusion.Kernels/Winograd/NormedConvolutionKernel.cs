using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Group norm, SiLU and a 3×3 convolution, and their gradients, without a graph.</summary>
internal abstract class NormedConvolutionKernel : ITileKernel<NormedConvolutionKernel>
{
    public static NormedConvolutionKernel Make<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> => new NormedConvolutionKernel<T, TVector>();

    /// <summary>The form for images and the weight of the convolution.</summary>
    public static NormedConvolutionKernel For(Tensor images, Tensor weight) => TileKernel<NormedConvolutionKernel>.For(WinogradConvolution.MultipliesNarrow(images, (int)weight.size(1), (int)weight.size(0)));

    /// <summary>The convolution.</summary>
    /// <param name="norm">The norm.</param>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="weight">Of the convolution, [O, C, 3, 3].</param>
    /// <param name="bias">[O].</param>
    /// <param name="added">What is added to all pixels of a channel, [1 or B, O], or <see langword="null"/>.</param>
    /// <returns>[B, O, H, W] in the type of the images.</returns>
    public abstract Tensor Forward(in NormParameters norm, Tensor images, Tensor weight, Tensor bias, Tensor? added);

    /// <summary>The gradients of ⟨output, direction⟩, without a graph.</summary>
    /// <param name="norm">The norm.</param>
    /// <param name="weight">Of the convolution, [O, C, 3, 3]; its gradient is computed if it requires one.</param>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="direction">[B, O, H, W], contiguous, in the type of the images.</param>
    /// <param name="added">What is added to the gradient of the images, as them; <see langword="null"/> for nothing.</param>
    /// <param name="totals">[B, C], float32: the sums of the gradient of the images, more accurate than it is rounded, without what is added; written, unless it is <see langword="null"/>.</param>
    /// <param name="dropout">What dropout did between SiLU and the convolution; <see langword="null"/> for nothing.</param>
    /// <returns>Those of images, weight and bias of the norm, and weight of the convolution, unless it is frozen.</returns>
    public abstract (Tensor Input, Tensor NormWeight, Tensor NormBias, Tensor? Weight) Gradients(
        in NormParameters norm, Tensor weight, Tensor images, Tensor direction, Tensor? added = null, Tensor? totals = null, DropoutMask? dropout = null);
}
