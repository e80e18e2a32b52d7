using System.Diagnostics.CodeAnalysis;
using Diffusion.Configuration;
using Diffusion.Evaluation;
using Diffusion.Imaging;

namespace Diffusion.Sample;

/// <summary>What images are compared with: images that nothing was trained on, and those that the network was trained on where they are known.</summary>
internal sealed class ReferenceData : IDisposable
{
    private const string Mnist = "mnist";
    private const string Textures = "textures";
    private const string OfStatistics = ".npz";
    private const string OfImages = ".safetensors";

    private readonly List<IDisposable> _owned = [];

    private ReferenceData(DataKind? kind) => Kind = kind;

    /// <summary>What the images are; <see langword="null"/> for a folder or a file that the command line names.</summary>
    public DataKind? Kind { get; }

    /// <summary>The images; <see langword="null"/> where there are statistics alone.</summary>
    public IImageSource? Images { get; private set; }

    /// <summary>A file of statistics; <see langword="null"/> where there are images.</summary>
    public string? StatisticsFile { get; private init; }

    /// <summary>The images that the network was trained on; <see langword="null"/> where they are not known.</summary>
    public IImageSource? Training { get; private set; }

    /// <summary>Whether the reference is the folder that the network was trained on.</summary>
    public bool WasTrainedOn { get; private set; }

    /// <summary>Whether any of these images lie in files that a codec decodes.</summary>
    public bool IsDecoded { get; private set; }

    /// <summary>Opens what the command line asks for.</summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="run">The images of the network that draws; <see langword="null"/> where images are given.</param>
    /// <param name="shape">What the images are.</param>
    /// <exception cref="UsageException">There is no such reference, or its images are others.</exception>
    public static ReferenceData Open(EvaluateArguments arguments, DataOptions? run, ImageShape shape)
    {
        var reference = Named(arguments, run) is { } data ? new ReferenceData(data.Kind) : new ReferenceData(null) { StatisticsFile = StatisticsOf(arguments.Reference!) };
        try
        {
            reference.Fill(arguments, run, shape);
            foreach (var images in (IImageSource?[])[reference.Images, reference.Training])
            {
                if (images is not null && images.Shape != shape)
                {
                    throw new UsageException($"The images of {images.Name} are {images.Shape}, and those to be measured are {shape}: give other ones by --reference.");
                }
            }

            return reference;
        }
        catch
        {
            reference.Dispose();
            throw;
        }
    }

    /// <summary>What a name, or nothing, stands for, as a configuration has it; <see langword="null"/> for a folder and for files.</summary>
    /// <exception cref="UsageException">Nothing is named and nothing known.</exception>
    public static DataOptions? Named(EvaluateArguments arguments, DataOptions? run) => arguments.Reference switch
    {
        null when run is null => throw new UsageException("--images needs --reference: what to compare with, mnist, textures, a folder or file of images or a file of statistics."),
        null when run.Path.Length == 0 => throw new UsageException("The network does not say where its images are: give what to compare with by --reference, mnist, textures, a folder or file of images or a file of statistics."),
        null when !Directory.Exists(run.Path) => throw new UsageException($"The images of the run are not where they were, in '{run.Path}': give what to compare with by --reference, mnist, textures, a folder or file of images or a file of statistics."),
        null => run,
        Mnist => Committed(run, DataKind.Mnist, Mnist),
        Textures => Committed(run, DataKind.Textures, Textures),
        _ => null,
    };

    public void Dispose() => _owned.ForEach(each => each.Dispose());

    /// <summary>The images that come with the app, in the way of the run where it has such.</summary>
    private static DataOptions Committed(DataOptions? run, DataKind kind, string name) =>
        (run?.Kind == kind ? run : new DataOptions { Kind = kind }) with { Path = Path.Combine(AppContext.BaseDirectory, "data", name) };

    private static string? StatisticsOf(string reference) => Directory.Exists(reference) || IsFile(reference, OfImages) ? null
        : IsFile(reference, OfStatistics) ? reference
        : throw new UsageException($"--reference must be {Mnist}, {Textures}, a folder of images, a file of images, *.safetensors, or a file of statistics, *.npz; it is '{reference}'.");

    private static bool IsFile(string reference, string extension) => File.Exists(reference) && Path.GetExtension(reference).Equals(extension, StringComparison.OrdinalIgnoreCase);

    private void Fill(EvaluateArguments arguments, DataOptions? run, ImageShape shape)
    {
        if (Named(arguments, run) is { } data)
        {
            OpenKind(arguments, data, run);
            return;
        }

        UsageException.IfUnused("the reference is named, and all of it is taken.", ("--held-back", arguments.HeldBack));
        if (StatisticsFile is null)
        {
            IsDecoded = Directory.Exists(arguments.Reference);
            Images = Own(IsDecoded ? OpenFolder(arguments, run, shape) : new ImagesInFile(arguments.Reference!));
        }

        if (IsThere(run))
        {
            WasTrainedOn = IsDecoded && RealPaths.AreSame(arguments.Reference!, run.Path);
            Training = OpenTraining(arguments, run);
        }
    }

    private void OpenKind(EvaluateArguments arguments, DataOptions data, DataOptions? run)
    {
        data = ImageCodecs.Over(data, arguments.Codec);
        IsDecoded |= data.Kind != DataKind.Mnist;
        if (!arguments.HeldBack)
        {
            Training = TrainingImages(data, run) is { } trainedOn ? OpenTraining(arguments, trainedOn) : null;
            WasTrainedOn = data.Kind == DataKind.Folder && IsThere(run) && data.Folder.ValidationPath is { } kept && RealPaths.AreSame(kept, run.Path);
            Images = Own(data.OpenValidation(ImageCodecs.Of(data)) ?? throw new UsageException(
                $"'{data.Path}' has no images that nothing was trained on (docs/data.md): give what to compare with by --reference, mnist, textures, a folder or file of images or a file of statistics."));
            return;
        }

        if (data.Kind == DataKind.Folder)
        {
            throw new UsageException("--held-back goes with MNIST and textures, whose last training images are held back; give a folder of such images by --reference.");
        }

        var all = Own((data with { Limit = null, Textures = data.Textures with { Count = null } }).Open(ImageCodecs.Of(data)));
        var (used, heldBack) = UsageException.Unless(() => HeldOutImages.Split(all));
        (Training, Images) = (IsThere(run) && run.Path != data.Path ? OpenTraining(arguments, run) : used, heldBack);
        if (arguments.Drawing is null || run?.Kind != data.Kind)
        {
            return;
        }

        using var training = data.Open(ImageCodecs.Of(data));
        if (training.Count > used.Count)
        {
            throw new UsageException(
                $"--held-back: the network was trained on {training.Count} images of {all.Name}, among them those that are held back, the last {heldBack.Count} of {all.Count}. Train with data.{(data.Kind == DataKind.Mnist ? "limit" : "textures.count")} {used.Count} to choose by them.");
        }
    }

    /// <summary>The images that the network was trained on: those of its run where they are. Where it says nothing of them, or they lie elsewhere now and are of the same kind, those that the reference has to train on; the report names them. <see langword="null"/> where they are others.</summary>
    private static DataOptions? TrainingImages(DataOptions reference, DataOptions? run) =>
        IsThere(run) ? run : run is { Path.Length: > 0 } && run.Kind != reference.Kind ? null : reference;

    private static bool IsThere([NotNullWhen(true)] DataOptions? run) => run is { Path.Length: > 0 } && Directory.Exists(run.Path);

    private RenamedImages OpenTraining(EvaluateArguments arguments, DataOptions data)
    {
        data = ImageCodecs.Over(data, arguments.Codec);
        IsDecoded |= data.Kind != DataKind.Mnist;
        return Own(data.Open(ImageCodecs.Of(data)));
    }

    private static IImageSource OpenFolder(EvaluateArguments arguments, DataOptions? run, ImageShape shape)
    {
        // The images of a run of its own folder are made square and small, and so are these, as its images for validation are; where images are measured as they are, these are, too.
        if (run is { Kind: DataKind.Folder, Path.Length: > 0 })
        {
            var data = ImageCodecs.Over(run with { Path = arguments.Reference!, Folder = run.Folder with { ValidationPath = arguments.Reference } }, arguments.Codec);
            return data.OpenValidation(ImageCodecs.Of(data))!;
        }

        var codec = ImageCodecs.Of(ImageCodecs.Over(run ?? new DataOptions(), arguments.Codec));
        return ImageFolder.Open(arguments.Reference!, new ImageFolderOptions { Height = shape.Height, Width = shape.Width, Channels = shape.Channels, Codec = new ExactImages(codec, shape) });
    }

    private RenamedImages Own(IImageSource source)
    {
        SkippedImages.Show(source);
        var renamed = new RenamedImages(source);
        _owned.Add(renamed);
        return renamed;
    }
}
