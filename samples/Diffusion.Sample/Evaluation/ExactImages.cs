using Diffusion.Imaging;

namespace Diffusion.Sample;

/// <summary>Takes images of one shape alone: an image that is measured is not resized, nor does a coloured one become grey, for its figures would be those of another image.</summary>
/// <param name="inner">What decodes.</param>
/// <param name="shape">What every image must be.</param>
internal sealed class ExactImages(IImageCodec inner, ImageShape shape) : IImageCodec
{
    public IReadOnlyCollection<string> Extensions => inner.Extensions;

    public PixelImage Decode(Stream stream)
    {
        var image = inner.Decode(stream);
        if ((image.Height, image.Width) != (shape.Height, shape.Width))
        {
            throw new InvalidDataException($"it has {image.Width}×{image.Height} pixels, and {shape.Width}×{shape.Height} are needed: images are measured as they are (with --checkpoint, those of --reference are made what the run's are)");
        }

        return shape.Channels == 1 && !IsGrey(image) ? throw new InvalidDataException("it has colours, and a grey image is needed") : image;
    }

    public void EncodePng(Stream stream, PixelImage image) => inner.EncodePng(stream, image);

    /// <summary>Whether an image has no colours, in whatever form it is stored.</summary>
    public static bool IsGrey(PixelImage image)
    {
        var pixels = image.Pixels;
        for (var i = 0; image.Channels > 1 && i < pixels.Length; i += image.Channels)
        {
            if (pixels[i] != pixels[i + 1] || pixels[i] != pixels[i + 2])
            {
                return false;
            }
        }

        return true;
    }
}
