using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Which pixels are painted anew: masks with 1 for what is kept.</summary>
internal static class Hole
{
    public static readonly string[] Names = ["left", "right", "top", "bottom", "center"];

    /// <summary>A half, or the middle with half the height and width.</summary>
    public static Tensor Of(string name, ImageShape shape)
    {
        var (height, width) = ((long)shape.Height, (long)shape.Width);
        var mask = ones(1, 1, height, width);
        using var hole = name switch
        {
            "left" => mask.narrow(3, 0, width / 2),
            "right" => mask.narrow(3, width / 2, width - (width / 2)),
            "top" => mask.narrow(2, 0, height / 2),
            "bottom" => mask.narrow(2, height / 2, height - (height / 2)),
            _ => mask.narrow(2, height / 4, height / 2).narrow(3, width / 4, width / 2),
        };
        hole.zero_();
        return mask;
    }

    /// <summary>A file, cut and resized as the images are: white is kept, black is painted.</summary>
    public static Tensor Load(string path, ImageShape shape, ImageFit fit, IImageCodec codec)
    {
        using var image = File.Exists(path)
            ? ImageFile.Load(path, codec).WithChannels(1).Resize(shape.Width, shape.Height, fit).ToTensor()
            : throw new UsageException($"There is no file '{path}'.");
        return image.gt(0).to_type(ScalarType.Float32);
    }
}
