using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Images at another size.</summary>
public static class ImageResize
{
    /// <summary>Float result: [..., H, W] uint8 or float, 0 to 255 → [..., height, width] float32.</summary>
    public static Tensor To(Tensor images, int height, int width, ImageResizing method) => throw new NotSupportedException();

    /// <summary>8-bit result as Pillow computes it, in fixed point: uint8 → uint8.</summary>
    public static Tensor ToEightBit(Tensor images, int height, int width) => throw new NotSupportedException();
}
