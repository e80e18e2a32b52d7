namespace Diffusion.Models;

/// <summary>The key maps by short names, for command lines and configurations.</summary>
public static class KeyMapCatalog
{
    private static readonly OrderedDictionary<string, KeyMap> s_maps = new(StringComparer.OrdinalIgnoreCase)
    {
        ["course"] = KeyMap.Course,
    };

    /// <summary>The names.</summary>
    public static IReadOnlyList<string> Names => [.. s_maps.Keys];

    /// <summary>The map of a name; upper and lower case are the same.</summary>
    /// <param name="name">One of <see cref="Names"/>.</param>
    /// <exception cref="ArgumentException">There is no such map; the message lists the names.</exception>
    public static KeyMap Find(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return s_maps.TryGetValue(name, out var map)
            ? map
            : throw new ArgumentException($"must be one of {string.Join(", ", Names)}; it is '{name}'.", nameof(name));
    }
}
