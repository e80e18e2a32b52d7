using Diffusion.Imaging;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Says what a folder of images has left out: how many files of which kind, and why those cannot be read that should be images.</summary>
internal static class SkippedImages
{
    private const int MostListed = 10;

    public static void Show(IImageSource images)
    {
        var source = images is AugmentedImages augmented ? augmented.Source : images;
        if ((source as ImageFolder)?.LeftOut is { Count: > 0 } ofFolder)
        {
            Show(images.Name, ofFolder);
        }
        else if ((source as TextureCrops)?.LeftOut is { Count: > 0 } ofTextures)
        {
            Show(images.Name, ofTextures);
        }

        if ((source as ImageFolder)?.SkippedFiles is not { Count: > 0 } skipped)
        {
            return;
        }

        AnsiConsole.MarkupLineInterpolated($"Files that cannot be read and are skipped: [bold]{skipped.Count}[/]");
        foreach (var file in skipped.Take(MostListed))
        {
            AnsiConsole.MarkupLineInterpolated($"  {file.Path}: {file.Reason}");
        }

        if (skipped.Count > MostListed)
        {
            AnsiConsole.MarkupLineInterpolated($"  and {skipped.Count - MostListed} more");
        }
    }

    private static void Show(string name, IReadOnlyList<(string What, int Count)> counts) =>
        AnsiConsole.MarkupLineInterpolated($"Left out of {name}: [bold]{string.Join(", ", counts.Select(kind => $"{kind.Count} {kind.What}"))}[/]");
}
