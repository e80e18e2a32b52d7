using Diffusion.Imaging;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Says what a folder of images has left out: how many files of which kind, and why those cannot be read that should be images.</summary>
internal static class SkippedImages
{
    private const int MostListed = 10;

    public static void Show(IImageSource images)
    {
        if ((images is AugmentedImages augmented ? augmented.Source : images) is not ImageFolder { LeftOut.Count: > 0 } folder)
        {
            return;
        }

        AnsiConsole.MarkupLineInterpolated($"Left out of {folder.Name}: [bold]{string.Join(", ", folder.LeftOut.Select(kind => $"{kind.Count} {kind.What}"))}[/]");
        if (folder.SkippedFiles is not { Count: > 0 } skipped)
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
}
