using System.Text.Json.Serialization;
using Diffusion.Imaging;

namespace Diffusion.Configuration;

/// <summary>The images of a run.</summary>
public sealed record DataOptions : IValidatedOptions
{
    private const int MnistSize = 28;
    private const string Skia = "skia";
    private const string ImageSharp = "imageSharp";

    /// <summary>MNIST (default), a folder of images, or textures cut out of photographs.</summary>
    public DataKind Kind { get; init; } = DataKind.Mnist;

    /// <summary>The folder of the files; in a configuration file, relative to the file's own folder.</summary>
    public string Path { get; init; } = "";

    /// <summary>The height and width of the images in pixels, at least 1; 28 by default. Images of a folder and textures are resized to it.</summary>
    public int Size { get; init; } = MnistSize;

    /// <summary>1 for grey (default), 3 for RGB. Images of a folder and photographs are converted to it.</summary>
    public int Channels { get; init; } = 1;

    /// <summary>For a folder: how an image of another aspect ratio is brought to a square.</summary>
    public ImageFit Fit { get; init; } = ImageFit.CropToFill;

    /// <summary>
    /// What decodes the files of a folder and photographs: "skia" (also where it is <see langword="null"/>, the default), or "imageSharp", a managed decoder of a package of its own, Diffusion.Imaging.ImageSharp, which the program that opens the
    /// images passes on.
    /// </summary>
    public string? Codec { get; init; }

    /// <summary>For MNIST: only the first so many images; all where <see langword="null"/> (default).</summary>
    public int? Limit { get; init; }

    /// <summary>For a folder: labels, images that cannot be read, images for validation.</summary>
    public FolderOptions Folder { get; init; } = new();

    /// <summary>For textures: the size and number of the crops.</summary>
    public TextureOptions Textures { get; init; } = new();

    /// <summary>
    /// The names of the classes, by label: <see cref="RunOptions.ForImages"/> notes those of the images. In a configuration of your own, what the images must have, or the names for a source that has none.
    /// <see langword="null"/> (default) where they are not known.
    /// </summary>
    public IReadOnlyList<string>? ClassNames { get; init; }

    /// <summary>How the images vary from draw to draw in training.</summary>
    public AugmentationOptions Augmentation { get; init; } = new();

    /// <summary>The shape of one image.</summary>
    [JsonIgnore]
    public ImageShape Shape => new(Channels, Size, Size);

    /// <summary>Whether <see cref="Codec"/> names one that is to be passed to <see cref="Open"/> and <see cref="OpenValidation"/>, for it is in a package of its own.</summary>
    /// <returns><see langword="true"/> for "imageSharp", which a new ImageSharpCodec() is.</returns>
    public bool NeedsCodec() => NamedChoice.Same(Codec, ImageSharp);

    /// <summary>Opens the images to train on.</summary>
    /// <param name="codec">Reads the files of a folder and photographs; where it is <see langword="null"/>, what <see cref="Codec"/> names.</param>
    /// <returns>The source, for the caller to dispose. With augmentations, reading with seeds is what varies the images.</returns>
    /// <exception cref="IOException">The folder, or a file of it, is missing or cannot be read; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file is not what its name says; the message names it.</exception>
    /// <exception cref="InvalidOperationException"><see cref="Codec"/> names one that is to be passed.</exception>
    public IImageSource Open(IImageCodec? codec = null) => Augmentation.ForTraining(
        Kind switch
        {
            DataKind.Mnist => Mnist.Open(Path, Split.Train, Limit),
            DataKind.Textures => OpenTextures(Split.Train, codec),
            _ => OpenFolder(Path, codec),
        },
        Size);

    /// <summary>
    /// Opens images that are kept from training, in the same shape and without augmentation: the test images of MNIST if they are there, the
    /// bottom quarters of the photographs of textures, or the folder <see cref="FolderOptions.ValidationPath"/>.
    /// </summary>
    /// <param name="codec">Reads the files of a folder and photographs; where it is <see langword="null"/>, what <see cref="Codec"/> names.</param>
    /// <returns>The source, for the caller to dispose; <see langword="null"/> where there are no such images.</returns>
    /// <exception cref="IOException">A file is missing or cannot be read; the message names it.</exception>
    /// <exception cref="InvalidDataException">A file is not what its name says (the message names it), or a folder has other classes than that to train on.</exception>
    /// <exception cref="InvalidOperationException"><see cref="Codec"/> names one that is to be passed.</exception>
    public IImageSource? OpenValidation(IImageCodec? codec = null) => Kind switch
    {
        DataKind.Mnist => Mnist.Exists(Path, Split.Test) ? Mnist.Open(Path, Split.Test) : null,
        DataKind.Textures => OpenTextures(Split.Test, codec),
        _ => Folder.ValidationPath is { } path ? Augmentation.ForValidation(OpenFolder(path, codec), Size) : null,
    };

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

        foreach (var error in NamedChoice.Errors(Codec ?? Skia, nameof(Codec), [Skia, ImageSharp]))
        {
            yield return error;
        }

        if (Kind != DataKind.Mnist && Limit is not null)
        {
            yield return new OptionsError(nameof(Limit), $"is for MNIST; it is {Limit} for {(Kind == DataKind.Folder ? "a folder" : "textures")}.");
        }

        foreach (var error in PartErrors())
        {
            yield return error;
        }
    }

    private IEnumerable<OptionsError> PartErrors()
    {
        var parts = Folder.Validate().Select(error => error.Under(nameof(Folder)))
            .Concat(Textures.Validate().Select(error => error.Under(nameof(Textures))))
            .Concat(Augmentation.Validate().Select(error => error.Under(nameof(Augmentation))));
        foreach (var error in parts)
        {
            yield return error;
        }

        if (Kind != DataKind.Folder && Folder != new FolderOptions())
        {
            yield return new OptionsError(nameof(Folder), $"is for the kind folder; the kind is {Kind}.");
        }

        if (Kind != DataKind.Textures && Textures != new TextureOptions())
        {
            yield return new OptionsError(nameof(Textures), $"is for the kind textures; the kind is {Kind}.");
        }

        if (Augmentation.CropFrom is { } from && (Kind != DataKind.Folder || from < Size))
        {
            yield return new OptionsError(
                $"{nameof(Augmentation)}.{nameof(Augmentation.CropFrom)}",
                Kind == DataKind.Folder ? $"must be at least {nameof(Size)}, {Size}; it is {from}." : $"is for the kind folder; the kind is {Kind}.");
        }
    }

    private TextureCrops OpenTextures(Split split, IImageCodec? codec)
    {
        var options = Textures.For(split, Size, Channels);
        return TextureCrops.Open(Path, split, options with { Codec = codec ?? Named() });
    }

    private IImageCodec Named() => !NeedsCodec()
        ? ImageFile.DefaultCodec
        : throw new InvalidOperationException($"{nameof(Codec)} is {Codec}: a program that wants it references the package Diffusion.Imaging.ImageSharp and passes new ImageSharpCodec() when it opens the images.");

    private ImageFolder OpenFolder(string path, IImageCodec? codec)
    {
        ThrowIfMissing(Path, "data.path");
        ThrowIfMissing(path, "data.folder.validationPath");
        var size = Augmentation.SizeToRead(Size);
        var options = new ImageFolderOptions
        {
            Height = size, Width = size, Channels = Channels, Fit = Fit, Labels = Folder.Labels, SkipCorrupt = Folder.SkipCorrupt, Codec = codec ?? Named(),
        };
        if (path != Path && !ImageFolder.FindClasses(path, options).SequenceEqual(ImageFolder.FindClasses(Path, options)))
        {
            throw new InvalidDataException(
                $"{path} has the classes {Listed(path)}, {Path} has {Listed(Path)}: they must be the same for labels to mean the same.");
        }

        return ImageFolder.Open(path, options);

        string Listed(string folder) => $"[{string.Join(", ", ImageFolder.FindClasses(folder, options))}]";
    }

    private static void ThrowIfMissing(string path, string key)
    {
        if (!Directory.Exists(path))
        {
            throw new DirectoryNotFoundException($"{key}: there is no folder '{path}'. Give that of your images; in a configuration file a path begins at the file's own folder.");
        }
    }
}
