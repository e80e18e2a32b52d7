using Diffusion.Configuration;
using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Which pixels are painted anew: masks with 1 for what is kept.</summary>
internal static class Hole
{
    public static readonly string[] Names = ["left", "right", "top", "bottom", "center"];

    /// <summary>A half, or the middle with half the height and width.</summary>
    public static Tensor Of(string name, long size)
    {
        var (half, quarter) = (size / 2, size / 4);
        var mask = ones(1, 1, size, size);
        using var hole = name switch
        {
            "left" => mask.narrow(3, 0, half),
            "right" => mask.narrow(3, half, size - half),
            "top" => mask.narrow(2, 0, half),
            "bottom" => mask.narrow(2, half, size - half),
            _ => mask.narrow(2, quarter, half).narrow(3, quarter, half),
        };
        hole.zero_();
        return mask;
    }

    /// <summary>A file: white is kept, black is painted.</summary>
    public static Tensor Load(string path, DataOptions data)
    {
        using var image = File.Exists(path)
            ? ImageFile.Load(path, ImageCodecs.Of(data)).WithChannels(1).Resize(data.Size, data.Size, ImageFit.Stretch).ToTensor()
            : throw new UsageException($"There is no file '{path}'.");
        return image.gt(0).to_type(ScalarType.Float32);
    }
}
