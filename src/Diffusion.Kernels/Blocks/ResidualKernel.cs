using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// A residual block on tiles: norms, activations and dropout happen while convolutions read, the time, biases and the input are added while they write. Gradients need the input and what is between the two
/// convolutions, of which norm and activation are computed again.
/// </summary>
internal abstract class ResidualKernel : ITileKernel<ResidualKernel>
{
    public static ResidualKernel Make<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> => new ResidualKernel<T, TVector>();

    /// <summary>The form for a block and its images.</summary>
    public static ResidualKernel For(in ResidualParameters layers, Tensor images) => TileKernel<ResidualKernel>.For(layers.MultipliesNarrow(images));

    /// <summary>The block.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="input">[B, C in, H, W].</param>
    /// <param name="embedding">[1 or B, time dimension].</param>
    /// <param name="hidden">What is between the convolutions, [B, C out, H, W] in the type of the input; written, unless it is 0.</param>
    /// <param name="output">[B, C out, H, W]; written.</param>
    /// <param name="dropout">What dropout does before the second convolution, [B, C out, H, W]; <see langword="null"/> for nothing.</param>
    public abstract void Forward(in ResidualParameters layers, WinogradImages input, Tensor embedding, nint hidden, WinogradImages output, DropoutMask? dropout);

    /// <summary>The gradients of ⟨output, direction⟩ where the time is added.</summary>
    /// <param name="layers">The layers.</param>
    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="embedding">[1 or B, time dimension].</param>
    /// <param name="hidden">Of <see cref="Forward"/>.</param>
    /// <param name="direction">[B, C out, H, W], contiguous, in the type of the images.</param>
    /// <param name="dropout">As for <see cref="Forward"/>.</param>
    /// <returns>Those of images, embedding, and weight and bias of each layer in the order of <see cref="ResidualParameters"/>; <see langword="null"/> for frozen convolutions.</returns>
    public abstract List<Tensor?> Backward(in ResidualParameters layers, Tensor images, Tensor embedding, Tensor hidden, Tensor direction, DropoutMask? dropout);
}
