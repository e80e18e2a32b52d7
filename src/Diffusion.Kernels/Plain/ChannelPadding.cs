using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>
/// Channel counts at which libtorch's CPU convolutions are right everywhere. At other counts they compute, on many processors, with channels that nobody wrote
/// (docs/decisions/0003): whatever freed memory held ends up in outputs and gradients. Where <see cref="ConvolutionCheck"/> finds that they do, zeros fill the channels up.
/// </summary>
internal static class ChannelPadding
{
    /// <summary>The next count that is safe: 16 up to 16, above it the next multiple of 32.</summary>
    public static int Round(int channels) => channels <= 16 ? 16 : (channels + 31) / 32 * 32;

    /// <summary>Whether convolutions of this tensor need it: on the CPU, in every type that goes to oneDNN. Float64 has kernels of its own.</summary>
    public static bool Applies(Tensor input) => input.device_type == TorchSharp.DeviceType.CPU && input.dtype != ScalarType.Float64;

    /// <summary>The channels that are missing: none where the counts are safe, or where libtorch's own convolution is right on this machine.</summary>
    public static (int In, int Out) Missing(Tensor input, in ConvolutionShape shape, bool transposed, ConvolutionResults needed)
    {
        var (missingIn, missingOut) = (Round(shape.InChannels) - shape.InChannels, Round(shape.OutChannels) - shape.OutChannels);
        var needsNone = (missingIn == 0 && missingOut == 0) || (shape.Kernel > 1 && ConvolutionCheck.IsRight(input, shape, transposed, needed)); // kernels of one pixel write beyond their memory
        return needsNone ? (0, 0) : (missingIn, missingOut);
    }

    /// <summary>Appends channels of zeros to images [B, C, H, W], keeping their memory layout.</summary>
    public static Tensor Images(Tensor images, int missing) =>
        missing == 0 ? images : nn.functional.pad(images, [0, 0, 0, 0, 0, missing]);

    /// <summary>Appends zeros to both channel dimensions of a weight [first, second, k, k].</summary>
    public static Tensor Weight(Tensor weight, int first, int second) =>
        first == 0 && second == 0 ? weight : nn.functional.pad(weight, [0, 0, 0, 0, 0, second, 0, first]);

    /// <summary>Appends zeros to a bias [C].</summary>
    public static Tensor? Bias(Tensor? bias, int missing) => bias is null || missing == 0 ? bias : nn.functional.pad(bias, [0, missing]);
}
