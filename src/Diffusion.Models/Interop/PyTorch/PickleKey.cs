using System.Globalization;
using Dictionary = System.Collections.Generic.OrderedDictionary<string, object?>;

namespace Diffusion.Models;

/// <summary>The keys of Python's dictionaries as text: text as it is, and other plain values as Python prints them.</summary>
internal static class PickleKey
{
    // Short, so that the text of a tuple that is recalled with two bytes is short.
    private const int MaximumItems = 4;
    private const int MaximumText = 32;

    /// <exception cref="InvalidDataException">The key is no plain value, or occurs twice.</exception>
    public static void SetItem(Dictionary dictionary, object? key, object? value)
    {
        var name = key is object?[] { Length: <= MaximumItems } items && !Array.Exists(items, item => item is string { Length: > MaximumText })
            ? $"({string.Join(", ", items.Select(Name))})"
            : Name(key);
        if (!dictionary.TryAdd(name, value))
        {
            throw new InvalidDataException($"a dictionary has the key '{name}' twice");
        }
    }

    private static string Name(object? key) => key switch
    {
        string text => text,
        null => "None",
        bool truth => truth ? "True" : "False",
        long or double => string.Create(CultureInfo.InvariantCulture, $"{key}"),
        _ => throw new InvalidDataException($"a key of a dictionary is {(key is object?[] items ? $"a tuple of {items.Length}" : key)}; a text, a number or a short tuple of these is needed"),
    };
}
