using Diffusion.Imaging;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Says what a folder has left out.</summary>
internal static class SkippedImages
{
    private const int MostListed = 10;

    public static void Show(IImageSource images)
    {
        if ((images is AugmentedImages augmented ? augmented.Source : images) is not ImageFolder { SkippedFiles: { Count: > 0 } skipped })
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
