using static TorchSharp.torch;

namespace Diffusion.Imaging;

/// <summary>The size of a part that is cut out of images.</summary>
internal readonly record struct CropSize
{
    public CropSize(int height, int width)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(height, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(width, 1);
        (Height, Width) = (height, width);
    }

    public int Height { get; }

    public int Width { get; }

    /// <summary>The shape of the part; the images must be at least as large.</summary>
    public ImageShape Within(ImageShape shape, string what) => Height <= shape.Height && Width <= shape.Width
        ? shape with { Height = Height, Width = Width }
        : throw new ArgumentException($"{what} of {Height}×{Width} needs images at least as large; they are {shape}.", nameof(shape));

    /// <summary>[C, H, W] → [C, Height, Width], a view.</summary>
    public Tensor At(Tensor image, int top, int left) => image.narrow(1, top, Height).narrow(2, left, Width);

    public Tensor Middle(Tensor image) => At(image, ((int)image.shape[1] - Height) / 2, ((int)image.shape[2] - Width) / 2);
}
