using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>3×3 convolutions of images on the CPU with less than half of the multiplications (<see cref="WinogradTransform"/>): float32 weights, images in float32 or in bfloat16.</summary>
internal static unsafe class WinogradConvolution
{
    /// <summary>Of input or output where it pays to differentiate; below, the transforms cost more than the multiplications that they save.</summary>
    public const int FewestChannels = 32;

    /// <summary>Whether it is the fastest way on this machine.</summary>
    public static bool Pays(Tensor input, Tensor weight, in ConvolutionShape shape) =>
        Math.Max(shape.InChannels, shape.OutChannels) >= FewestChannels && IsPossible(input, weight, shape, input.dtype == ScalarType.BFloat16);

    /// <summary>Whether this machine can do it.</summary>
    /// <param name="input">[B, C, H, W], bfloat16 or float32.</param>
    /// <param name="weight">[O, C, k, k].</param>
    /// <param name="shape">Of the convolution.</param>
    /// <param name="narrow">Whether products are of bfloat16.</param>
    public static bool IsPossible(Tensor input, Tensor weight, in ConvolutionShape shape, bool narrow)
    {
        var (inChannels, outChannels, multiple) = (shape.InChannels, shape.OutChannels, narrow ? 32 : 16);
        return shape is { Kernel: 3, Stride: 1, Padding: 1 }
            && inChannels % multiple == 0 && outChannels % multiple == 0
            && (!narrow || TileProduct.MultipliesNarrow) && input.dtype is ScalarType.Float32 or ScalarType.BFloat16
            && weight.dtype == ScalarType.Float32 && input.device_type == TorchSharp.DeviceType.CPU
            && AttentionTile.IsSupported
            && input.dim() == 4 && (Images: input.size(0), Height: input.size(2), Width: input.size(3)) is { Images: > 0, Height: > 1, Width: > 1 } size
            && size.Images * size.Height * size.Width * Math.Max(inChannels, outChannels) < int.MaxValue / sizeof(float)
            && input.is_contiguous() && weight.is_contiguous()
            && TileProduct.IsAvailable(narrow);
    }

    /// <summary>The convolution, without a graph.</summary>
    /// <param name="input">[B, C, H, W], contiguous.</param>
    /// <param name="weight">[O, C, 3, 3], contiguous.</param>
    /// <param name="bias">[O], or <see langword="null"/>.</param>
    /// <returns>[B, O, H, W] in the type of the input.</returns>
    public static Tensor Forward(Tensor input, Tensor weight, Tensor? bias) =>
        input.dtype == ScalarType.BFloat16 ? Forward<BFloat16Tile>(input, weight, bias) : Forward<Float32Tile>(input, weight, bias);

    /// <summary>The gradients of ⟨output, direction⟩.</summary>
    /// <param name="direction">[B, O, H, W].</param>
    /// <param name="input">As for <see cref="Forward(Tensor, Tensor, Tensor?)"/>.</param>
    /// <param name="weight">As for <see cref="Forward(Tensor, Tensor, Tensor?)"/>.</param>
    /// <returns>Those of input, weight and bias, each in the type of what it is of.</returns>
    public static (Tensor Input, Tensor Weight, Tensor Bias) Gradients(Tensor direction, Tensor input, Tensor weight) =>
        input.dtype == ScalarType.BFloat16 ? Gradients<BFloat16Tile>(direction, input, weight) : Gradients<Float32Tile>(direction, input, weight);

    /// <summary>The weight as <see cref="WinogradKernel{T}.Convolve"/> reads it: of the run or of the current dispose scope.</summary>
    public static Tensor Prepared<T>(Tensor weight)
        where T : ITileFormat => PreparedWeights.Get(weight, T.PerWord == 1 ? "Winograd float32" : "Winograd bfloat16", Transformed<T>);

    private static Tensor Forward<T>(Tensor input, Tensor weight, Tensor? bias)
        where T : ITileFormat
    {
        var output = empty([input.size(0), weight.size(0), input.size(2), input.size(3)], dtype: input.dtype);
        using var scope = PreparedWeights.AreKept ? null : NewDisposeScope();
        Convolve<T>(input, Prepared<T>(weight), bias, output);
        GC.KeepAlive(input);
        return output;
    }

    private static (Tensor Input, Tensor Weight, Tensor Bias) Gradients<T>(Tensor direction, Tensor input, Tensor weight)
        where T : ITileFormat
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (dense, ofWeight) = (direction.to(input.dtype).contiguous(), empty_like(weight));
        var ofInput = InputGradient<T>(dense, weight);
        WinogradGradient<T>.OfWeight(WinogradImages.Of(input), default, WinogradImages.Of(dense), TensorMemory.Of<float>(ofWeight));
        return (ofInput.MoveToOuterDisposeScope(), ofWeight.MoveToOuterDisposeScope(), TileSums.OfChannels(dense).MoveToOuterDisposeScope());
    }

    /// <summary>The gradient of the input.</summary>
    /// <param name="direction">[B, O, H, W], contiguous.</param>
    /// <param name="weight">[O, C, 3, 3], contiguous.</param>
    /// <returns>[B, C, H, W].</returns>
    public static Tensor InputGradient<T>(Tensor direction, Tensor weight)
        where T : ITileFormat
    {
        var (outChannels, inChannels) = ((int)weight.size(0), (int)weight.size(1));
        var gradient = empty([direction.size(0), inChannels, direction.size(2), direction.size(3)], dtype: direction.dtype);
        using var points = Points<T>(weight);
        WinogradWeights<T>.TransformBackward(TensorMemory.Of<float>(weight), outChannels, inChannels, TensorMemory.Of<uint>(points));
        Convolve<T>(direction, points, null, gradient);
        return gradient;
    }

    private static Tensor Points<T>(Tensor weight)
        where T : ITileFormat => empty([WinogradTransform.Points, weight.size(0), weight.size(1) / T.PerWord], dtype: ScalarType.Float32);

    private static Tensor Transformed<T>(Tensor weight)
        where T : ITileFormat
    {
        var points = Points<T>(weight);
        WinogradWeights<T>.Transform(TensorMemory.Of<float>(weight), (int)weight.size(0), (int)weight.size(1), TensorMemory.Of<uint>(points));
        return points;
    }

    private static void Convolve<T>(Tensor input, Tensor points, Tensor? bias, Tensor output)
        where T : ITileFormat =>
        WinogradKernel<T>.Convolve(WinogradImages.Of(input), TensorMemory.Of<uint>(points), new ConvolutionEnds { Bias = bias is null ? null : TensorMemory.Of<float>(bias) }, WinogradImages.Of(output));
}
