using Diffusion.Imaging;

namespace Diffusion.Sample;

/// <summary>Sees whether any of the images that it decodes has colours. Used on several threads.</summary>
internal sealed class FolderShape : IImageCodec
{
    private readonly IImageCodec _inner;
    private volatile bool _coloured;

    private FolderShape(IImageCodec inner) => _inner = inner;

    public IReadOnlyCollection<string> Extensions => _inner.Extensions;

    /// <summary>What the images of a folder are as they lie there: as large as the first one, and grey where all are. Each is decoded once.</summary>
    /// <exception cref="InvalidDataException">There are none, or one cannot be read; the message names it.</exception>
    public static ImageShape Of(string folder, IImageCodec codec)
    {
        var seen = new FolderShape(codec);
        using var images = ImageFolder.Open(folder, new ImageFolderOptions { Height = 1, Width = 1, Codec = seen });
        var first = ImageFile.Load(Path.Combine(folder, images.RelativePaths[0]), codec);
        return new ImageShape(seen._coloured ? 3 : 1, first.Height, first.Width);
    }

    public PixelImage Decode(Stream stream)
    {
        var image = _inner.Decode(stream);
        _coloured = _coloured || !ExactImages.IsGrey(image);
        return image;
    }

    public void EncodePng(Stream stream, PixelImage image) => _inner.EncodePng(stream, image);
}
