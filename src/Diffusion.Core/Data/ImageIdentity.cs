namespace Diffusion;

/// <summary>Which images a run is trained on: what its checkpoints keep of the source, beside the number of images.</summary>
/// <param name="Classes">The number of classes; 0 for images without labels.</param>
/// <param name="ClassNames">Their names by label; empty where the source has none.</param>
/// <param name="Fingerprint">The source's <see cref="IImageSource.Fingerprint"/>, and a hash of the labels where they are known.</param>
internal sealed record ImageIdentity(int Classes, IReadOnlyList<string> ClassNames, IReadOnlyDictionary<string, string> Fingerprint)
{
    private const string LabelsPart = "labels";
    private const int MaxListed = 20;

    /// <summary>Of a source.</summary>
    /// <exception cref="InvalidDataException">It has class names, but not one for each class.</exception>
    public static ImageIdentity Of(IImageSource images)
    {
        var (names, parts) = (images.ClassNames, new Dictionary<string, string>(images.Fingerprint));
        if (names.Count != 0 && names.Count != images.Classes)
        {
            throw new InvalidDataException($"'{images.Name}' has {images.Classes} classes, and {names.Count} {nameof(IImageSource.ClassNames)}: one for each is needed, or none.");
        }

        if (images.Labels is { } labels)
        {
            parts.TryAdd(LabelsPart, Fingerprints.Of(labels));
        }

        return new ImageIdentity(images.Classes, [.. names], parts);
    }

    /// <summary>What differs in the meaning of the labels: <c>classes [a, b] → [b, z] (label 0: a → b)</c>; <see langword="null"/> if nothing does, as far as the names are known.</summary>
    public string? ClassDifference(ImageIdentity now)
    {
        if (ClassNames.Count == 0 || now.ClassNames.Count == 0)
        {
            return Classes == now.Classes ? null : $"{Classes} classes → {now.Classes}";
        }

        var (before, after) = (ClassNames.Select(Fingerprints.Plain).ToList(), now.ClassNames.Select(Fingerprints.Plain).ToList());
        if (before.SequenceEqual(after, StringComparer.Ordinal))
        {
            return null;
        }

        var label = Enumerable.Range(0, before.Count).FirstOrDefault(i => i >= after.Count || before[i] != after[i], before.Count);
        var change = label < before.Count && label < after.Count ? $" (label {label}: {before[label]} → {after[label]})" : "";
        return $"classes {Listed(before)} → {Listed(after)}{change}";
    }

    /// <summary>The parts of the fingerprints that differ: <c>file names 0123 → 4567</c>. Parts that only one of them has say nothing.</summary>
    public IEnumerable<string> PartDifferences(ImageIdentity now) =>
        from part in Fingerprint.OrderBy(part => part.Key, StringComparer.Ordinal)
        where now.Fingerprint.TryGetValue(part.Key, out var value) && value != part.Value
        select $"{part.Key} {part.Value} → {now.Fingerprint[part.Key]}";

    /// <summary>Names in brackets, the first twenty of them.</summary>
    public static string Listed(IReadOnlyList<string> names) =>
        $"[{string.Join(", ", names.Take(MaxListed))}{(names.Count > MaxListed ? $" and {names.Count - MaxListed} more" : "")}]";
}
