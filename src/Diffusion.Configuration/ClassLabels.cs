using System.Globalization;

namespace Diffusion.Configuration;

/// <summary>Which label is which class.</summary>
internal static class ClassLabels
{
    /// <summary>What differs between the names of a configuration and the classes of images; <see langword="null"/> if nothing does, or they are not known.</summary>
    public static string? Difference(IReadOnlyList<string>? names, IImageSource images)
    {
        if (names is null || (images.ClassNames.Count == 0 ? names.Count == images.Classes : names.Select(Fingerprints.Plain).SequenceEqual(images.ClassNames.Select(Fingerprints.Plain))))
        {
            return null;
        }

        var found = images.ClassNames.Count == 0 ? $"{images.Classes} classes" : ImageIdentity.Listed(images.ClassNames);
        return $"data.classNames must be the classes of the images, by label: they are {ImageIdentity.Listed(names)}, and '{images.Name}' has {found}. Without data.classNames those of the images are taken.";
    }

    /// <summary>The label of the class of a name, or a number where no class has that name.</summary>
    public static long Find(string name, IReadOnlyList<string> names, long classes)
    {
        var wanted = Fingerprints.Plain(name);
        var labels = Enumerable.Range(0, names.Count).Where(label => Fingerprints.Plain(names[label]) == wanted).ToList();
        if (labels is [var only])
        {
            return only;
        }

        if (labels.Count > 1)
        {
            throw new ArgumentException($"label '{name}' is the name of several classes: give one of the numbers {string.Join(", ", labels)}.");
        }

        var listed = names.Count == 0 ? "" : $" The classes are {ImageIdentity.Listed(names)}.";
        if (long.TryParse(name, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number >= 0 && number < classes
                ? number
                : throw new ArgumentException($"label must be in [0, {classes - 1}]{(names.Count == 0 ? "" : ", or the name of a class")}; it is {number}.{listed}");
        }

        if (names.FirstOrDefault(each => Fingerprints.Plain(each).Equals(wanted, StringComparison.OrdinalIgnoreCase)) is { } other)
        {
            throw new ArgumentException($"label '{name}' is no class; upper and lower case are different, and there is '{other}'.");
        }

        throw new ArgumentException(names.Count == 0
            ? $"label must be a number in [0, {classes - 1}], for the names of the classes are not known; it is '{name}'."
            : $"label '{name}' is no class, and no number in [0, {classes - 1}].{listed}");
    }
}
