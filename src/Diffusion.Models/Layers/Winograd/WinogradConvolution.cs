using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>3×3 convolutions of images on the CPU with less than half of the multiplications (<see cref="WinogradTransform"/>): float32 weights, images in float32 or in bfloat16.</summary>
internal static unsafe class WinogradConvolution
{
    private const int FewestChannels = 32; // below, the transforms cost more than the multiplications that they save

    /// <summary>Whether it is the fastest way on this machine.</summary>
    public static bool Pays(Tensor input, Tensor weight, in ConvolutionShape shape)
    {
        var (inChannels, outChannels, narrow) = (shape.InChannels, shape.OutChannels, input.dtype == ScalarType.BFloat16);
        return shape is { Kernel: 3, Stride: 1, Padding: 1 }
            && (narrow ? TileProduct.MultipliesNarrow && inChannels % 32 == 0 && outChannels % 32 == 0 : input.dtype == ScalarType.Float32 && inChannels % 16 == 0 && outChannels % 16 == 0)
            && Math.Max(inChannels, outChannels) >= FewestChannels
            && weight.dtype == ScalarType.Float32 && input.device_type == TorchSharp.DeviceType.CPU
            && AttentionTile.IsSupported
            && input.shape is [> 0, _, > 1, > 1] size && size[0] * size[2] * size[3] * Math.Max(inChannels, outChannels) < int.MaxValue / sizeof(float)
            && input.is_contiguous() && weight.is_contiguous()
            && (narrow ? WinogradKernel<BFloat16Tile>.Product(inChannels, outChannels) : WinogradKernel<Float32Tile>.Product(inChannels, outChannels)) is not null;
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

    private static Tensor Forward<T>(Tensor input, Tensor weight, Tensor? bias)
        where T : ITileFormat
    {
        using var scope = NewDisposeScope();
        var points = PreparedWeights.Get(weight, T.PerWord == 1 ? "Winograd float32" : "Winograd bfloat16", Transformed<T>);
        return Convolved<T>(input, (int)weight.size(0), points, bias).MoveToOuterDisposeScope();
    }

    private static (Tensor Input, Tensor Weight, Tensor Bias) Gradients<T>(Tensor direction, Tensor input, Tensor weight)
        where T : ITileFormat
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (outChannels, inChannels) = ((int)weight.size(0), (int)weight.size(1));
        var (dense, points, ofWeight) = (direction.to(input.dtype).contiguous(), Points<T>(weight), empty(weight.shape));
        WinogradWeights<T>.TransformBackward(TensorMemory.Of<float>(weight), outChannels, inChannels, TensorMemory.Of<uint>(points));
        var ofInput = Convolved<T>(dense, inChannels, points, null);
        WinogradGradient<T>.OfWeight(Images(input), Images(dense), TensorMemory.Of<float>(ofWeight), WinogradGradient<T>.Product(inChannels, outChannels)!);
        return (ofInput.MoveToOuterDisposeScope(), ofWeight.MoveToOuterDisposeScope(), ChannelSums(dense).MoveToOuterDisposeScope());
    }

    private static Tensor ChannelSums(Tensor direction)
    {
        var (sums, pixels) = (empty(direction.size(1)), (int)(direction.size(2) * direction.size(3)));
        if (direction.dtype == ScalarType.BFloat16)
        {
            TileSums.OfChannels(TensorMemory.Of<ushort>(direction), (int)direction.size(0), (int)direction.size(1), pixels, TensorMemory.Of<float>(sums));
        }
        else
        {
            TileSums.OfChannels(TensorMemory.Of<float>(direction), (int)direction.size(0), (int)direction.size(1), pixels, TensorMemory.Of<float>(sums));
        }

        return sums;
    }

    private static Tensor Points<T>(Tensor weight)
        where T : ITileFormat => empty([WinogradTransform.Points, weight.size(0), weight.size(1) / T.PerWord]);

    private static Tensor Transformed<T>(Tensor weight)
        where T : ITileFormat
    {
        var points = Points<T>(weight);
        WinogradWeights<T>.Transform(TensorMemory.Of<float>(weight), (int)weight.size(0), (int)weight.size(1), TensorMemory.Of<uint>(points));
        return points;
    }

    private static Tensor Convolved<T>(Tensor input, int channels, Tensor points, Tensor? bias)
        where T : ITileFormat
    {
        var output = empty([input.size(0), channels, input.size(2), input.size(3)], dtype: input.dtype);
        WinogradKernel<T>.Convolve(Images(input), TensorMemory.Of<uint>(points), bias is null ? null : TensorMemory.Of<float>(bias), Images(output), WinogradKernel<T>.Product((int)input.size(1), channels)!);
        return output;
    }

    private static WinogradImages Images(Tensor images) =>
        new((nint)TensorMemory.Of<byte>(images), (int)images.size(0), (int)images.size(1), (int)images.size(2), (int)images.size(3), images.dtype == ScalarType.BFloat16);
}
