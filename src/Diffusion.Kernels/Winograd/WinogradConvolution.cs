using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>3×3 convolutions of images on the CPU with less than half of the multiplications (<see cref="IWinogradForm"/>): float32 weights, images in float32 or in bfloat16.</summary>
internal abstract class WinogradConvolution : ITileKernel<WinogradConvolution>
{
    /// <summary>Of input or output where it pays to differentiate; below, the transforms cost more than the multiplications that they save.</summary>
    public const int FewestChannels = 32;

    private const int Vector = 16;

    public static WinogradConvolution Make<T, TVector>()
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> => new WinogradConvolution<T, TVector>();

    /// <summary>The form for images and a weight.</summary>
    public static WinogradConvolution For(Tensor images, Tensor weight) => TileKernel<WinogradConvolution>.For(MultipliesNarrow(images, (int)weight.size(1), (int)weight.size(0)));

    /// <summary>Whether it runs here, and is the fastest way.</summary>
    public static bool CanRun(Tensor input, Tensor weight, in ConvolutionShape shape) => Math.Max(shape.InChannels, shape.OutChannels) >= FewestChannels && Reads(input, weight, shape);

    /// <summary>Whether this processor can do it, and the kernel reads such images and weights.</summary>
    /// <param name="input">[B, C, H, W], bfloat16 or float32.</param>
    /// <param name="weight">[O, C, k, k].</param>
    /// <param name="shape">Of the convolution.</param>
    public static bool Reads(Tensor input, Tensor weight, in ConvolutionShape shape)
    {
        var (inChannels, outChannels) = (shape.InChannels, shape.OutChannels);
        return shape is { Kernel: 3, Stride: 1, Padding: 1 }
            && inChannels % Vector == 0 && outChannels % Vector == 0
            && TileSupport.Runs && input.dtype is ScalarType.Float32 or ScalarType.BFloat16
            && weight.dtype == ScalarType.Float32 && input.device_type == TorchSharp.DeviceType.CPU
            && input.dim() == 4 && (Images: input.size(0), Height: input.size(2), Width: input.size(3)) is { Images: > 0, Height: > 1, Width: > 1 } size
            && size.Images * size.Height * size.Width * Math.Max(inChannels, outChannels) < int.MaxValue / sizeof(float)
            && input.is_contiguous() && weight.is_contiguous();
    }

    /// <summary>Whether products are of bfloat16. Where channels do not fill their words, images that are bfloat16 are multiplied in float32.</summary>
    public static bool MultipliesNarrow(Tensor images, int inChannels, int outChannels) =>
        images.dtype == ScalarType.BFloat16 && TileSupport.MultipliesNarrow && inChannels % (2 * Vector) == 0 && outChannels % (2 * Vector) == 0;

    /// <summary>The convolution, without a graph.</summary>
    /// <param name="input">[B, C, H, W], contiguous.</param>
    /// <param name="weight">[O, C, 3, 3], contiguous.</param>
    /// <param name="bias">[O], or <see langword="null"/>.</param>
    /// <returns>[B, O, H, W] in the type of the input.</returns>
    public abstract Tensor Forward(Tensor input, Tensor weight, Tensor? bias);

    /// <summary>The gradients of ⟨output, direction⟩.</summary>
    /// <param name="direction">[B, O, H, W].</param>
    /// <param name="input">As for <see cref="Forward(Tensor, Tensor, Tensor?)"/>.</param>
    /// <param name="weight">As for <see cref="Forward(Tensor, Tensor, Tensor?)"/>.</param>
    /// <returns>Those of input, weight and bias, each in the type of what it is of.</returns>
    public abstract (Tensor Input, Tensor Weight, Tensor Bias) Gradients(Tensor direction, Tensor input, Tensor weight);
}
