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

    /// <summary>What the names by label are and what they would be; <see langword="null"/> where they are the same.</summary>
    public static string? Difference(IReadOnlyList<string> before, IReadOnlyList<string> now)
    {
        if (before.SequenceEqual(now, StringComparer.Ordinal))
        {
            return null;
        }

        var label = Enumerable.Range(0, Math.Max(before.Count, now.Count)).First(i => i >= before.Count || i >= now.Count || before[i] != now[i]);
        return $"{Listed(before)}, and the images have {Listed(now)} (label {label}: {before.ElementAtOrDefault(label) ?? "none"} there, {now.ElementAtOrDefault(label) ?? "none"} here)";
    }

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
        AnsiConsole.WriteLine("The classes, which the images have in turn:");
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

    private static string Listed(IReadOnlyList<string> names) => $"[{string.Join(", ", names.Take(MostListed))}{(names.Count > MostListed ? $" and {names.Count - MostListed} more" : "")}]";

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
