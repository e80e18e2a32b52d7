using Diffusion.Imaging;
using Spectre.Console;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>Images that lie in a folder, or in a safetensors file as the tensor 'images'; which classes they show, subfolders alone say.</summary>
internal sealed class GivenImages : EvaluatedImages
{
    private const string Images = "images";

    // Samplers leave images a little outside of the range; values of another range, such as [0, 255], are far.
    private const double Farthest = 3;
    private const int BatchSize = 256;

    private readonly ImageFolder? _source;
    private readonly Tensor? _tensor;

    private GivenImages(string path, ImageFolder source)
    {
        _source = source;
        (Name, Count, Shape) = (SharedPaths.Name(path), source.Count, source.Shape);
        Classes = source.Labels is { } labels && source.ClassNames.Count > 0 ? [.. labels.Select(label => source.ClassNames[(int)label])] : null;
    }

    private GivenImages(string path, Tensor images)
    {
        _tensor = images;
        (Name, Count, Shape) = (SharedPaths.Name(path), (int)images.shape[0], new ImageShape((int)images.shape[1], (int)images.shape[2], (int)images.shape[3]));
    }

    public override string Name { get; }

    public override int Count { get; }

    public override ImageShape Shape { get; }

    public override IReadOnlyList<string>? Classes { get; }

    public override IReadOnlyDictionary<string, object?> Settings { get; } = new Dictionary<string, object?>();

    /// <summary>Opens what is at a path.</summary>
    /// <param name="path">A folder, or a safetensors file.</param>
    /// <param name="shape">What the images must be; <see langword="null"/> for what they are.</param>
    /// <param name="codec">What decodes files.</param>
    /// <exception cref="UsageException">There is nothing, or something else.</exception>
    /// <exception cref="InvalidDataException">An image cannot be read, or is of another shape; the message names it.</exception>
    public static GivenImages Open(string path, ImageShape? shape, IImageCodec codec)
    {
        if (Directory.Exists(path))
        {
            var wanted = shape ?? FolderShape.Of(path, codec);
            var source = ImageFolder.Open(path, new ImageFolderOptions { Height = wanted.Height, Width = wanted.Width, Channels = wanted.Channels, Codec = new ExactImages(codec, wanted) });
            SkippedImages.Show(source);
            return new GivenImages(path, source);
        }

        if (!File.Exists(path))
        {
            throw new UsageException($"--images: there is no file or folder '{path}'.");
        }

        var images = ReadTensor(path);
        try
        {
            var given = new GivenImages(path, images);
            return shape is null || given.Shape == shape ? given : throw new UsageException($"--images: the images of '{path}' are {given.Shape}, and {shape} are needed.");
        }
        catch
        {
            images.Dispose();
            throw;
        }
    }

    public override IEnumerable<Tensor> Batches(IProgress<double> progress, CancellationToken cancellation)
    {
        foreach (var part in Enumerable.Range(0, Count).Chunk(BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return Read(part);
            progress.Report(part[^1] + 1);
        }
    }

    public override void Dispose()
    {
        _source?.Dispose();
        _tensor?.Dispose();
    }

    private static Tensor ReadTensor(string path)
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
        return images.clone().DetachFromDisposeScope();
    }

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

    private Tensor Read(int[] part)
    {
        if (_tensor is not null)
        {
            using var view = _tensor.narrow(0, part[0], part.Length);
            return view.dtype == ScalarType.Byte ? view.clone() : view.to(ScalarType.Float32, copy: true);
        }

        using var batch = _source!.Read(part);
        return batch.Images.clone();
    }
}
