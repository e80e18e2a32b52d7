using System.CommandLine;
using Diffusion.Evaluation;

namespace Diffusion.Sample;

/// <summary>The command-line options of an evaluation.</summary>
internal static class EvaluateOptions
{
    public const string MetricsFile = "metrics.json";

    /// <summary>How many images are drawn where nothing says it.</summary>
    private const int DefaultCount = 2000;

    private static readonly Option<string?> s_checkpoint = new("--checkpoint") { Description = "Draw with this network and measure what it draws: whatever the command sample takes." };
    private static readonly Option<string?> s_images = new("--images") { Description = "Measure these images: a folder of them, or a file samples.safetensors with the tensor 'images'." };
    private static readonly Option<string?> s_reference = new("--reference") { Description = "The images to compare with: mnist or textures (their test images), a folder of images of the size of those that are measured (for a run of a folder they are cropped and resized as its own), a file samples.safetensors with the tensor 'images', or a file of statistics, *.npz. By default the images of the run that nothing was trained on." };
    private static readonly Option<bool> s_heldBack = new("--held-back") { Description = "Compare with the training images that are held back, to choose by, instead of the test images." };
    private static readonly Option<string?> s_features = new("--features") { Description = "What distances are measured in: digits, textures, a classifier of yours (*.safetensors), or a TorchScript network. By default those of the reference, mnist or textures; for other images there are none, and distances in pixels alone." };
    private static readonly Option<FileInfo?> s_featuresOptions = new("--features-options") { Description = "A JSON file that says what a TorchScript network takes: channels, size, resizing, scale, mean, standardDeviation. Without it images as they are, 0 to 255." };
    private static readonly Option<string[]> s_measured = new("--figures") { Description = $"What is measured, instead of everything that can be: {string.Join(", ", EvaluationOptions.FigureNames)}.", AllowMultipleArgumentsPerToken = true };
    private static readonly Option<int?> s_batch = NumberOption.Optional<int>("--batch", "How many images are drawn at once, instead of the run's training batch.");
    private static readonly Option<int?> s_likelihood = NumberOption.Optional<int>("--likelihood", "Also measure the likelihood of so many images of the reference, in bits per dimension.");
    private static readonly Option<DirectoryInfo?> s_keep = new("--keep") { Description = "Write the drawn images into this folder, which is new or empty: a PNG each, by class in folders where the network draws classes." };
    private static readonly Option<DirectoryInfo?> s_cache = new("--cache") { Description = $"The folder for statistics of references, which are computed once; {StatisticsCache.Default ?? "none, as the system knows no folder of the user's,"} by default." };
    private static readonly Option<string> s_out = new("--out") { Description = $"The folder for {MetricsFile}, or a file *.json.", DefaultValueFactory = _ => "out" };

    public static IReadOnlyList<Option> All { get; } =
        [s_checkpoint, s_images, s_reference, s_heldBack, s_features, s_featuresOptions, s_measured, s_likelihood, .. DrawingOptions.OfDrawing, s_batch, s_keep, s_cache, ImageCodecs.Name, s_out];

    /// <exception cref="UsageException">The options contradict each other.</exception>
    public static EvaluateArguments Read(ParseResult arguments)
    {
        var (checkpoint, images) = (arguments.GetValue(s_checkpoint), arguments.GetValue(s_images));
        if ((checkpoint is null) == (images is null))
        {
            throw new UsageException("Give what is to be measured: either --checkpoint, to draw with a network, or --images.");
        }

        if (images is not null)
        {
            UsageException.IfUnused("--images says which images.", arguments, [.. DrawingOptions.OfDrawing, s_batch, s_keep, s_likelihood]);
        }

        foreach (var (option, value) in (ReadOnlySpan<(string, int?)>)[(DrawingOptions.Count.Name, arguments.GetValue(DrawingOptions.Count)), (s_batch.Name, arguments.GetValue(s_batch)), (s_likelihood.Name, arguments.GetValue(s_likelihood))])
        {
            if (value < 1)
            {
                throw new UsageException($"{option} must be at least 1; it is {value}.");
            }
        }

        var drawing = checkpoint is null ? null : DrawingOptions.Read(arguments, checkpoint, "");
        if (drawing?.Label is { } label)
        {
            throw new UsageException($"--label {label}: images of one class cannot be compared with those of all. Leave it out: all classes are drawn in turn.");
        }

        return new EvaluateArguments(
            drawing is null ? null : drawing with { Count = drawing.Count ?? DefaultCount },
            images,
            arguments.GetValue(s_reference),
            arguments.GetValue(s_heldBack),
            arguments.GetValue(s_features),
            arguments.GetValue(s_featuresOptions)?.FullName,
            Figures(arguments.GetValue(s_measured) ?? []),
            arguments.GetValue(s_batch),
            arguments.GetValue(s_likelihood),
            arguments.GetValue(s_keep)?.FullName,
            arguments.GetValue(s_cache)?.FullName,
            arguments.GetValue(ImageCodecs.Name),
            File(arguments.GetRequiredValue(s_out)));
    }

    private static string[]? Figures(string[] names) => names.FirstOrDefault(name => !EvaluationOptions.FigureNames.Contains(name, StringComparer.OrdinalIgnoreCase)) is { } wrong
        ? throw new UsageException($"--figures must be of {string.Join(", ", EvaluationOptions.FigureNames)}; one is '{wrong}'.")
        : names.Length == 0 ? null : names;

    private static string File(string path) => Path.GetFullPath(
        path.EndsWith(".json", StringComparison.OrdinalIgnoreCase) && !Directory.Exists(path) ? path : Path.Combine(path, MetricsFile));
}
