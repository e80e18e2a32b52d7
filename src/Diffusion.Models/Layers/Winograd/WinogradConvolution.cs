using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>3×3 convolutions of float32 images on the CPU with less than half of the multiplications: <see cref="WinogradTransform"/>.</summary>
internal static unsafe class WinogradConvolution
{
    private const int FewestChannels = 32; // below, the transforms cost more than the multiplications that they save

    /// <summary>Whether it is the fastest way on this machine.</summary>
    public static bool Pays(Tensor input, Tensor weight, in ConvolutionShape shape) =>
        shape is { Kernel: 3, Stride: 1, Padding: 1 }
        && shape.InChannels % 16 == 0 && shape.OutChannels % 16 == 0 && Math.Max(shape.InChannels, shape.OutChannels) >= FewestChannels
        && input.dtype == ScalarType.Float32 && weight.dtype == ScalarType.Float32 && input.device_type == TorchSharp.DeviceType.CPU
        && AttentionTile.IsSupported
        && input.shape is [> 0, _, > 1, > 1] size && size[0] * size[2] * size[3] * Math.Max(shape.InChannels, shape.OutChannels) < int.MaxValue / sizeof(float)
        && input.is_contiguous() && weight.is_contiguous()
        && WinogradKernel.Product(shape.InChannels, shape.OutChannels) is not null;

    /// <summary>The convolution, without a graph.</summary>
    /// <param name="input">[B, C, H, W], contiguous.</param>
    /// <param name="weight">[O, C, 3, 3], contiguous.</param>
    /// <param name="bias">[O], or <see langword="null"/>.</param>
    /// <returns>[B, O, H, W].</returns>
    public static Tensor Forward(Tensor input, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var (outChannels, inChannels) = ((int)weight.shape[0], (int)weight.shape[1]);
        var points = PreparedWeights.Get(weight, nameof(WinogradWeights), Transformed);
        return Convolved(input, outChannels, points, bias, WinogradKernel.Product(inChannels, outChannels)!).MoveToOuterDisposeScope();
    }

    /// <summary>The gradients of ⟨output, direction⟩.</summary>
    /// <param name="direction">[B, O, H, W].</param>
    /// <param name="input">As for <see cref="Forward"/>.</param>
    /// <param name="weight">As for <see cref="Forward"/>.</param>
    /// <returns>Those of input, weight and bias.</returns>
    public static (Tensor Input, Tensor Weight, Tensor Bias) Gradients(Tensor direction, Tensor input, Tensor weight)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        var (outChannels, inChannels) = ((int)weight.shape[0], (int)weight.shape[1]);
        var (dense, points, ofWeight) = (direction.contiguous(), empty([WinogradTransform.Points, weight.shape[0], weight.shape[1]]), empty(weight.shape));
        WinogradWeights.TransformBackward(Data(weight), outChannels, inChannels, Data(points));
        var ofInput = Convolved(dense, inChannels, points, null, WinogradKernel.Product(outChannels, inChannels)!);
        WinogradGradient.OfWeight(Images(input), Images(dense), Data(ofWeight), WinogradGradient.Product(inChannels, outChannels)!);
        return (ofInput.MoveToOuterDisposeScope(), ofWeight.MoveToOuterDisposeScope(), dense.sum([0, 2, 3]).MoveToOuterDisposeScope());
    }

    private static Tensor Transformed(Tensor weight)
    {
        var points = empty([WinogradTransform.Points, weight.shape[0], weight.shape[1]]);
        WinogradWeights.Transform(Data(weight), (int)weight.shape[0], (int)weight.shape[1], Data(points));
        return points;
    }

    private static Tensor Convolved(Tensor input, int channels, Tensor points, Tensor? bias, TileProduct product)
    {
        var output = empty([input.shape[0], channels, input.shape[2], input.shape[3]]);
        WinogradKernel.Convolve(Images(input), Data(points), bias is null ? null : Data(bias), Images(output), product);
        return output;
    }

    private static WinogradImages Images(Tensor images) => new((nint)Data(images), (int)images.shape[0], (int)images.shape[1], (int)images.shape[2], (int)images.shape[3]);

    private static float* Data(Tensor tensor)
    {
        fixed (byte* data = tensor.bytes)
        {
            return (float*)data;
        }
    }
}
