using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Changes of size without weights.</summary>
internal static class Resize
{
    /// <summary>Nearest neighbours, [B, C, H, W] → [B, C, height, width]; the same tensor where it has this size.</summary>
    public static Tensor To(Tensor images, long height, long width) => images.size(2) == height && images.size(3) == width
        ? images
        : nn.functional.interpolate(images, size: [height, width], mode: InterpolationMode.Nearest);

    /// <summary>The mean of 2×2 pixels, [B, C, H, W] → [B, C, ⌊H/2⌋, ⌊W/2⌋].</summary>
    public static Tensor Halve(Tensor images) => nn.functional.avg_pool2d(images, 2, 2);
}
