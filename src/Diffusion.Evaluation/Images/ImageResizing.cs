namespace Diffusion.Evaluation;

/// <summary>How images are resized before a network sees them. Features depend on it, and figures of one way cannot be compared with those of another (arXiv:2104.11222).</summary>
public enum ImageResizing
{
    /// <summary>Bicubic with a = −0.5, antialiased where an image shrinks, as Pillow resizes images of float32: what clean-fid does. Clipped to 0 to 255, not rounded.</summary>
    PillowBicubic = 0,

    /// <summary>The same as Pillow resizes 8-bit images: in fixed point, rounded and clipped to 8 bits after each direction. The result is uint8.</summary>
    PillowBicubicEightBit = 1,

    /// <summary>Bilinear between the four nearest pixels, centres of pixels at halves, without antialiasing: torch's <c>interpolate</c> with <c>align_corners=False</c>, what pytorch-fid does.</summary>
    TorchBilinear = 2,

    /// <summary>Bilinear between the four nearest pixels, corners of pixels at whole numbers, without antialiasing: TensorFlow 1's, on which the weights of Inception were trained, what torch-fidelity does.</summary>
    TensorFlowBilinear = 3,
}
