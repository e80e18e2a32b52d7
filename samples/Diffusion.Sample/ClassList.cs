using Diffusion.Configuration;
using Spectre.Console;

namespace Diffusion.Sample;

/// <summary>Says which label is which class.</summary>
internal static class ClassList
{
    private const int MostListed = 20;

    /// <summary>A label and the name of its class.</summary>
    public static string Describe(DataOptions data, long label) =>
        data.ClassNames is { } names && label < names.Count ? $"label {label}: class \"{names[(int)label]}\"" : $"label {label} (the names of the classes are not known)";

    /// <summary>The classes of the images to train on, with the number of images of each.</summary>
    public static void ShowFound(IImageSource images, RunOptions options)
    {
        if (images.Classes == 0)
        {
            return;
        }

        AnsiConsole.MarkupLineInterpolated($"[bold]{images.Classes}[/] classes{(options.NullLabel is null ? ", which the network does not take (model.dialect.labels)" : "")}:");
        var counts = images.Labels?.CountBy(label => label).ToDictionary();
        Write(images.Classes, label => Describe(options.Data, label) + (counts is null ? "" : counts.GetValueOrDefault(label) is var count and not 1 ? $", {count} images" : ", 1 image"));
    }

    /// <summary>The classes that are drawn in turn.</summary>
    public static void ShowDrawn(RunOptions options, int labels)
    {
        AnsiConsole.WriteLine("The classes in turn, a column each:");
        Write(Math.Min(labels, options.Sampling.Count), label => Describe(options.Data, label));
    }

    /// <summary>The names by label as rows of a table.</summary>
    public static void AddTo(Table table, IReadOnlyList<string> names, bool all)
    {
        var shown = all ? names.Count : Math.Min(MostListed, names.Count);
        for (var label = 0; label < shown; label++)
        {
            table.AddRow($"label {label}", Markup.Escape($"class \"{names[label]}\""));
        }

        if (shown < names.Count)
        {
            table.AddRow("", $"and {names.Count - shown} more; --all lists them");
        }
    }

    private static void Write(int count, Func<long, string> line)
    {
        for (var label = 0; label < Math.Min(count, MostListed); label++)
        {
            AnsiConsole.MarkupLineInterpolated($"  {line(label)}");
        }

        if (count > MostListed)
        {
            AnsiConsole.MarkupLineInterpolated($"  and {count - MostListed} more; info --all lists those of a run");
        }
    }
}
