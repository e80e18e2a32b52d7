using System.CommandLine;
using System.Globalization;
using Diffusion.Evaluation;
using Diffusion.Imaging;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Trains a classifier in whose features images are compared.</summary>
internal static class ClassifierCommand
{
    private const string Mnist = "mnist";
    private const string Textures = "textures";
    private const string Folder = "folder";
    private const int Side = 28;
    private const int FolderPart = 10; // of a folder's images one in so many is held back
    private const int MostLines = 20; // about so many epochs are told
    private const int FolderSteps = 200; // at least: in fewer, small folders are not learnt

    private static readonly Option<string> s_kind = new("--kind") { Description = $"What it learns to tell: {Mnist}, which digit it is; {Textures}, from which photograph a crop is; {Folder}, in which subfolder of yours an image is.", Required = true };
    private static readonly Option<DirectoryInfo?> s_data = new("--data") { Description = $"The folder with the files of MNIST (or of a data set in the same files), or with the photographs; by default those of the repository. For {Folder}, which needs it: a folder with a subfolder of images for each class." };
    private static readonly Option<FileInfo> s_out = new("--out") { Description = "The file to write, *.safetensors.", Required = true };
    private static readonly Option<string?> s_name = new("--name") { Description = "What the name of its features begins with; by default digits, textures or classifier." };
    private static readonly Option<int?> s_epochs = NumberOption.Optional<int>("--epochs", $"How often it sees each image: 12 times by default, for {Textures} 8; of a small folder so often that there are {FolderSteps} steps.");
    private static readonly Option<int?> s_heldOut = NumberOption.Optional<int>("--held-out", $"How many of the training images are held back: the last ones, {HeldOutImages.Default} by default; of a folder evenly spread ones, a tenth by default.");
    private static readonly Option<int?> s_limit = NumberOption.Optional<int>("--limit", "Only the first so many training images, and test images.");
    private static readonly Option<long?> s_seed = NumberOption.Optional<long>("--seed", "The seed of weights, order and distortions, 0 by default.");

    public static Command Create()
    {
        var command = new Command("classifier", "Train a classifier, in whose features images are compared. It sees grey 28×28 images.") { s_kind, s_data, s_out, s_name, s_epochs, s_seed, s_heldOut, s_limit };
        command.SetAction(arguments => ExitCode.Of(() => Run(arguments)));
        return command;
    }

    private static void Run(ParseResult arguments)
    {
        var (kind, path) = (arguments.GetRequiredValue(s_kind), arguments.GetRequiredValue(s_out).FullName);
        if (kind is not (Mnist or Textures or Folder))
        {
            throw new UsageException($"--kind must be {Mnist}, {Textures} or {Folder}; it is '{kind}'.");
        }

        if (kind == Folder)
        {
            UsageException.IfUnused("the images of a folder are in the order of their classes.", (s_limit.Name, arguments.GetValue(s_limit) is not null));
            _ = arguments.GetValue(s_data) ?? throw new UsageException($"--kind {Folder} needs --data: a folder with a subfolder of images for each class.");
        }

        if (!path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || Directory.Exists(path))
        {
            throw new UsageException($"--out must be a file *.safetensors; it is '{path}'.");
        }

        if (arguments.GetValue(s_limit) < 1)
        {
            throw new UsageException($"--limit must be at least 1; it is {arguments.GetValue(s_limit)}.");
        }

        OutputFolder.ThrowIfUnusable(Path.GetDirectoryName(path)!);
        DiffusionRuntime.EnsureLoaded();
        var options = Options(arguments, kind);
        var folder = arguments.GetValue(s_data)?.FullName ?? Path.Combine(AppContext.BaseDirectory, "data", kind);
        using var images = Open(kind, folder, Split.Train, arguments.GetValue(s_limit));
        using var test = kind == Folder ? null : Open(kind, folder, Split.Test, arguments.GetValue(s_limit));
        var (training, heldOut) = kind == Folder
            ? SpreadImages.Split(images, arguments.GetValue(s_heldOut) ?? Math.Max(1, images.Count / FolderPart), s_heldOut.Name)
            : UsageException.Unless(() => HeldOutImages.Split(images, arguments.GetValue(s_heldOut) ?? HeldOutImages.Default));
        if (kind == Folder && arguments.GetValue(s_epochs) is null)
        {
            options = options with { Epochs = Math.Max(options.Epochs, ((FolderSteps * options.BatchSize) + training.Count - 1) / training.Count) };
        }

        AnsiConsole.MarkupLineInterpolated($"[bold]{training.Count}[/] images of {training.Shape} from {images.Name}, {heldOut.Count} held back; {options.Epochs} epochs");
        using var classifier = UsageException.Unless(() => ImageClassifier.Train(training, options, (epoch, loss) => Show(epoch, loss, options.Epochs)));
        var (held, tested) = (Percent(classifier.Accuracy(heldOut)), test is null ? null : Percent(classifier.Accuracy(test)));
        var trainedOn = kind == Folder ? $"{training.Count} of {images.Count}, all but {heldOut.Count} that are evenly spread" : $"the first {training.Count} of the training images";
        classifier.Save(path, About(Command(arguments, kind, options), options, trainedOn, held, tested));
        AnsiConsole.MarkupLineInterpolated($"Right: {held} of the {heldOut.Count} images held back{(test is null ? "" : $", {tested} of the {test.Count} test images")}");
        AnsiConsole.MarkupLineInterpolated($"Wrote {classifier.Name} to {path}");
    }

    private static void Show(int epoch, double loss, int epochs)
    {
        if (epoch % Math.Max(1, epochs / MostLines) == 0 || epoch == epochs)
        {
            AnsiConsole.MarkupLine(string.Create(CultureInfo.InvariantCulture, $"Epoch {epoch}/{epochs}  loss {loss:F5}"));
        }
    }

    private static ImageClassifierOptions Options(ParseResult arguments, string kind)
    {
        // Textures are cut, mirrored and turned anew for each image already, and bent ones would be others.
        var usual = kind switch
        {
            Mnist => new ImageClassifierOptions { Name = "digits" },
            Textures => new ImageClassifierOptions { Name = "textures", Distortion = 0, Epochs = 8 },
            _ => new ImageClassifierOptions(),
        };
        var options = usual with { Name = arguments.GetValue(s_name) ?? usual.Name, Epochs = arguments.GetValue(s_epochs) ?? usual.Epochs, Seed = arguments.GetValue(s_seed) ?? usual.Seed };
        return options.Validate().FirstOrDefault() is { } mistake ? throw new UsageException($"--{mistake.Path.ToLowerInvariant()} {mistake.Message}") : options;
    }

    private static IImageSource Open(string kind, string folder, Split split, int? limit) =>
        UsageException.Unless<IImageSource>(() => kind switch
        {
            Mnist => Imaging.Mnist.Open(folder, split, limit),
            Textures => TextureCrops.Open(folder, split, new TextureCropOptions { Count = limit }),
            _ => OpenFolder(folder),
        });

    private static ImageFolder OpenFolder(string folder)
    {
        // The classes first: that there are too few is found without decoding an image.
        var form = new ImageFolderOptions { Height = Side, Width = Side, Channels = 1, SkipCorrupt = true };
        var classes = ImageFolder.FindClasses(folder, form);
        if (classes.Count < 2)
        {
            throw new UsageException($"--data: '{folder}' has {(classes.Count == 0 ? "no subfolders" : $"the subfolder '{classes[0]}' alone")}; a classifier needs images of at least two classes, in a subfolder for each.");
        }

        var images = ImageFolder.Open(folder, form);
        SkippedImages.Show(images);
        return images;
    }

    private static string Percent(double share) => string.Create(CultureInfo.InvariantCulture, $"{100 * share:F2} %");

    /// <summary>What gives the same file again; of the folder its name alone.</summary>
    private static string Command(ParseResult arguments, string kind, ImageClassifierOptions options) => string.Concat(
        FormattableString.Invariant($"classifier --kind {kind} --name {options.Name} --epochs {options.Epochs} --seed {options.Seed}"),
        arguments.GetValue(s_heldOut) is { } heldOut && (kind == Folder || heldOut != HeldOutImages.Default) ? FormattableString.Invariant($" --held-out {heldOut}") : "",
        arguments.GetValue(s_limit) is { } limit ? FormattableString.Invariant($" --limit {limit}") : "",
        arguments.GetValue(s_data) is { } data ? $" --data {data.Name}" : "");

    private static Dictionary<string, string> About(string command, ImageClassifierOptions options, string images, string held, string? tested)
    {
        var about = new Dictionary<string, string>
        {
            ["command"] = command,
            ["seed"] = options.Seed.ToString(CultureInfo.InvariantCulture),
            ["training images"] = images,
            ["accuracy on held-back images"] = held,
            ["processor"] = DiffusionRuntime.ProcessorDescription,
        };
        if (tested is not null)
        {
            about["accuracy on test images"] = tested;
        }

        return about;
    }
}
