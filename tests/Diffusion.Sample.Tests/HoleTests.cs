using Diffusion.Imaging;

namespace Diffusion.Sample.Tests;

public sealed class HoleTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>A mask of the size of a photograph lies on it as it is drawn.</summary>
    [Theory]
    [InlineData(ImageFit.CropToFill, 1)] // the left eighth is cut off
    [InlineData(ImageFit.Stretch, 0.875)]
    public void Load_WideFile_IsCutAsImagesAre(ImageFit fit, double kept)
    {
        const int Width = 64, Height = 32;
        ImageFile.Save(_folder.File("mask.png"), new PixelImage(Width, Height, 1, [.. Enumerable.Range(0, Width * Height).Select(p => (byte)(p % Width < Width / 8 ? 0 : 255))]));
        using var mask = Hole.Load(_folder.File("mask.png"), new ImageShape(1, 16, 16), fit, ImageFile.DefaultCodec);
        Assert.Equal([1, 1, 16, 16], mask.shape);
        Assert.Equal(kept, mask.mean().item<float>(), 1e-6);
    }

    public void Dispose() => _folder.Dispose();
}
