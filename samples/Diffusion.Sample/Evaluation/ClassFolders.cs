using System.Text;

namespace Diffusion.Sample;

/// <summary>The folders of classes, under names that are whole and different on every system, the same everywhere.</summary>
internal static class ClassFolders
{
    private const string Replacing = "class-";

    // Bytes of a name; in hexadecimal they are twice as many, and systems take 255.
    private const int Longest = 100;

    // What Windows opens a device for, and what is left out of folders of images because systems keep it for themselves.
    private static readonly HashSet<string> s_reserved = new(
        ["CON", "PRN", "AUX", "NUL", .. Enumerable.Range(0, 10).SelectMany(number => new[] { $"COM{number}", $"LPT{number}" }), "RECYCLER", "RECYCLED", "__MACOSX"],
        StringComparer.OrdinalIgnoreCase);

    /// <summary>The folder of each class: its name, where that is of ASCII letters, digits, '-' and '_', reserved nowhere, and no other differs in upper and lower case alone; else "class-" and the bytes of the name in hexadecimal, of a long one a hash of them.</summary>
    public static IReadOnlyDictionary<string, string> Of(IEnumerable<string> classes)
    {
        var names = classes.Distinct(StringComparer.Ordinal).ToList();
        var times = names.CountBy(name => name, StringComparer.OrdinalIgnoreCase).ToDictionary(StringComparer.OrdinalIgnoreCase);
        return names.ToDictionary(name => name, name => IsPortable(name) && times[name] == 1 ? name : Replacing + Hexadecimal(name), StringComparer.Ordinal);
    }

    private static bool IsPortable(string name) =>
        name.Length is > 0 and <= Longest && name.All(sign => char.IsAsciiLetterOrDigit(sign) || sign is '-' or '_')
        && !s_reserved.Contains(name) && !name.StartsWith(Replacing, StringComparison.OrdinalIgnoreCase);

    private static string Hexadecimal(string name) => Encoding.UTF8.GetBytes(name) is { Length: <= Longest } bytes ? Convert.ToHexStringLower(bytes) : FileHash.OfText(name);
}
