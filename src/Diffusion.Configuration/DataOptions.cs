using System.Text.Json.Serialization;
using Diffusion.Imaging;

namespace Diffusion.Configuration;

/// <summary>The images of a run.</summary>
public sealed record DataOptions : IValidatedOptions
{
    private const int MnistSize = 28;

    /// <summary>MNIST (default) or a folder of images.</summary>
    public DataKind Kind { get; init; } = DataKind.Mnist;

    /// <summary>The folder of the files; in a configuration file, relative to the file's own folder.</summary>
    public string Path { get; init; } = "";

    /// <summary>The height and width of the images in pixels, at least 1; 28 by default. Images of a folder are resized to it.</summary>
    public int Size { get; init; } = MnistSize;

    /// <summary>1 for grey (default), 3 for RGB. Images of a folder are converted to it.</summary>
    public int Channels { get; init; } = 1;

    /// <summary>For a folder: how an image of another aspect ratio is brought to a square.</summary>
    public ImageFit Fit { get; init; } = ImageFit.CropToFill;

    /// <summary>For MNIST: only the first so many images; all where <see langword="null"/> (default).</summary>
    public int? Limit { get; init; }

    /// <summary>The shape of one image.</summary>
    [JsonIgnore]
    public ImageShape Shape => new(Channels, Size, Size);

    /// <summary>Opens the images.</summary>
    /// <param name="codec">Reads the files of a folder; SkiaSharp where <see langword="null"/>.</param>
    /// <returns>The source, for the caller to dispose.</returns>
    /// <exception cref="IOException">A file is missing or cannot be read; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file is not what its name says; the message names it.</exception>
    public IImageSource Open(IImageCodec? codec = null) => Kind == DataKind.Mnist
        ? Mnist.Open(Path, Split.Train, Limit)
        : ImageFolder.Open(Path, new ImageFolderOptions { Height = Size, Width = Size, Channels = Channels, Fit = Fit, Codec = codec ?? new SkiaCodec() });

    /// <inheritdoc/>
    public IEnumerable<OptionsError> Validate()
    {
        if (string.IsNullOrWhiteSpace(Path))
        {
            yield return new OptionsError(nameof(Path), "must be a folder; it is empty.");
        }

        foreach (var error in OptionsValidation.Range(Size, nameof(Size), 1).Concat(OptionsValidation.Range(Limit ?? 1, nameof(Limit), 1)))
        {
            yield return error;
        }

        if (Channels is not (1 or 3))
        {
            yield return new OptionsError(nameof(Channels), $"must be 1 (grey) or 3 (RGB); it is {Channels}.");
        }

        if (Kind == DataKind.Mnist && (Size, Channels) != (MnistSize, 1))
        {
            yield return new OptionsError(nameof(Size), $"and {nameof(Channels)} must be {MnistSize} and 1 for MNIST; they are {Size} and {Channels}.");
        }

        if (Kind == DataKind.Folder && Limit is not null)
        {
            yield return new OptionsError(nameof(Limit), $"is for MNIST; it is {Limit} for a folder.");
        }
    }
}
