namespace Diffusion.Configuration;

/// <summary>Options that are a name out of a list; upper and lower case are the same.</summary>
internal static class NamedChoice
{
    public static bool Same(string? one, string? other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    /// <summary>The name as the list writes it; <see langword="null"/> if it is not there.</summary>
    public static string? Find(string? name, IEnumerable<string> names) => names.FirstOrDefault(each => Same(each, name));

    /// <summary>A mistake, which lists the names, if the name is none of them.</summary>
    public static IEnumerable<OptionsError> Errors(string? name, string path, IEnumerable<string> names) =>
        Find(name, names) is null ? [new OptionsError(path, $"must be one of {string.Join(", ", names)}; it is '{name}'.")] : [];
}
