using Diffusion.Evaluation;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>The images of a safetensors file, its tensor 'images', in 8 bits as files of images hold them. They have no labels.</summary>
internal sealed class ImagesInFile : IImageSource
{
    private const string Images = "images";

    // Samplers leave images a little outside of the range; values of another range, such as [0, 255], are far.
    private const double Farthest = 3;

    private readonly Tensor _bytes;

    /// <summary>Reads them all.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">It has no such tensor, or none of images.</exception>
    public ImagesInFile(string path)
    {
        using var tensors = Safetensors.Load(path);
        if (!tensors.Keys.Contains(Images))
        {
            throw new InvalidDataException($"'{path}' has no tensor '{Images}', as sample --raw writes it; it has {(tensors.Count == 0 ? "none" : string.Join(", ", tensors.Keys.Order(StringComparer.Ordinal).Take(5)))}.");
        }

        var images = tensors[Images];
        if (images.shape is not [> 0, 1 or 3, > 0, > 0] || !(images.dtype == ScalarType.Byte || images.is_floating_point()))
        {
            throw new InvalidDataException($"'{path}': '{Images}' must be [N, C, H, W] with 1 or 3 channels, floats in [−1, 1] or uint8; it is {images.dtype} [{string.Join(", ", images.shape)}].");
        }

        CheckRange(path, images);
        _bytes = (images.dtype == ScalarType.Byte ? images.clone() : EightBitImages.From(images)).DetachFromDisposeScope();
        (Name, Count, Shape) = (path, (int)images.shape[0], new ImageShape((int)images.shape[1], (int)images.shape[2], (int)images.shape[3]));
    }

    public string Name { get; }

    public int Count { get; }

    public ImageShape Shape { get; }

    public int Classes => 0;

    public ImageBatch Read(ReadOnlySpan<int> indices)
    {
        using var chosen = tensor(indices.ToArray().Select(i => (long)i).ToArray());
        using var bytes = _bytes.index_select(0, chosen);
        return new ImageBatch(EightBitImages.ToFloat(bytes));
    }

    public void Dispose() => _bytes.Dispose();

    private static void CheckRange(string path, Tensor images)
    {
        if (images.dtype == ScalarType.Byte)
        {
            return;
        }

        using var scope = NewDisposeScope();
        var (least, most) = (images.min().to(ScalarType.Float64).item<double>(), images.max().to(ScalarType.Float64).item<double>());
        if (!(least >= -Farthest && most <= Farthest)) // NaN, too
        {
            throw new InvalidDataException(FormattableString.Invariant($"'{path}': '{Images}' must be floats in [−1, 1] or uint8; the values are in [{least}, {most}]."));
        }

        if (least >= 0)
        {
            AnsiConsole.MarkupLineInterpolated($"[yellow]No value of '{path}' is below 0. Images in [[0, 1]] look so, and they are taken to be in [[−1, 1]], where 0 is grey.[/]");
        }
    }
}
