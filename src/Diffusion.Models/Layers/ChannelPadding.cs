using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Channel counts at which libtorch's CPU convolutions are right. At other counts they compute with channels that nobody wrote
/// (docs/decisions/0003): whatever freed memory held ends up in outputs and gradients.
/// </summary>
internal static class ChannelPadding
{
    /// <summary>The next count that is safe: 16 up to 16, above it the next multiple of 32.</summary>
    public static int Round(int channels) => channels <= 16 ? 16 : (channels + 31) / 32 * 32;

    /// <summary>Whether convolutions of this tensor need it: on the CPU, in every type that goes to oneDNN. Float64 has kernels of its own.</summary>
    public static bool Applies(Tensor input) => input.device_type == TorchSharp.DeviceType.CPU && input.dtype != ScalarType.Float64;

    /// <summary>Appends channels of zeros to images [B, C, H, W], keeping their memory layout.</summary>
    public static Tensor Images(Tensor images, int missing) =>
        missing == 0 ? images : nn.functional.pad(images, [0, 0, 0, 0, 0, missing]);

    /// <summary>Appends zeros to both channel dimensions of a weight [first, second, k, k].</summary>
    public static Tensor Weight(Tensor weight, int first, int second) =>
        first == 0 && second == 0 ? weight : nn.functional.pad(weight, [0, 0, 0, 0, 0, second, 0, first]);

    /// <summary>Appends zeros to a bias [C].</summary>
    public static Tensor? Bias(Tensor? bias, int missing) => bias is null || missing == 0 ? bias : nn.functional.pad(bias, [0, missing]);
}
