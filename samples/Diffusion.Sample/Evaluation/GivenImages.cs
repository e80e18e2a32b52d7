using Diffusion.Imaging;
using TorchSharp;

namespace Diffusion.Sample;

/// <summary>Images that lie in a folder, or in a safetensors file as the tensor 'images'; which classes they show, subfolders alone say.</summary>
internal sealed class GivenImages : EvaluatedImages
{
    private const int BatchSize = 256;

    private readonly IImageSource _source;

    private GivenImages(string path, IImageSource source)
    {
        _source = source;
        Name = SharedPaths.Name(path);
        Classes = source.Labels is { } labels && source.ClassNames.Count > 0 ? [.. labels.Select(label => source.ClassNames[(int)label])] : null;
    }

    public override string Name { get; }

    public override int Count => _source.Count;

    public override ImageShape Shape => _source.Shape;

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

        var images = new ImagesInFile(path);
        if (shape is null || images.Shape == shape)
        {
            return new GivenImages(path, images);
        }

        images.Dispose();
        throw new UsageException($"--images: the images of '{path}' are {images.Shape}, and {shape} are needed.");
    }

    public override IEnumerable<torch.Tensor> Batches(IProgress<double> progress, CancellationToken cancellation)
    {
        foreach (var part in Enumerable.Range(0, Count).Chunk(BatchSize))
        {
            cancellation.ThrowIfCancellationRequested();
            yield return Read(part);
            progress.Report(part[^1] + 1);
        }
    }

    public override void Dispose() => _source.Dispose();

    private torch.Tensor Read(int[] part)
    {
        using var batch = _source.Read(part);
        return batch.Images.clone();
    }
}
