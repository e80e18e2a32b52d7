using System.Reflection;
using System.Text.Json.Serialization;

namespace Diffusion.Benchmarks;

/// <summary>An object of the configuration.</summary>
/// <param name="Path">Where it stands; empty for the file itself.</param>
/// <param name="Type">The options that it is bound to.</param>
/// <param name="Keys">What it holds, in the order of the source.</param>
internal sealed record OptionSection(string Path, Type Type, IReadOnlyList<OptionKey> Keys)
{
    /// <summary>The object and those below it, each before what it holds.</summary>
    /// <param name="type">The options.</param>
    /// <param name="isRefused">Whether a configuration may not have the object of this key.</param>
    public static IReadOnlyList<OptionSection> Of(Type type, Func<OptionKey, bool> isRefused) => [.. Below("", Activator.CreateInstance(type)!, [], isRefused)];

    /// <summary>The name of an option in a file.</summary>
    public static string CamelCase(string name) => char.ToLowerInvariant(name[0]) + name[1..];

    private static IEnumerable<OptionSection> Below(string path, object options, IReadOnlyList<Type> above, Func<OptionKey, bool> isRefused)
    {
        var keys = options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is not null && property.GetCustomAttribute<JsonIgnoreAttribute>() is null)
            .Select(property => new OptionKey((path.Length == 0 ? "" : path + ".") + CamelCase(property.Name), property, property.GetValue(options)))
            .ToList();
        IReadOnlyList<Type> types = [.. above, options.GetType()];
        return keys.Where(key => key.HasKeys && !types.Contains(key.Type) && !isRefused(key))
            .SelectMany(key => Below(key.IsList ? $"{key.Path}[]" : key.Path, (key.IsList ? null : key.Default) ?? Activator.CreateInstance(key.Type)!, types, isRefused))
            .Prepend(new OptionSection(path, options.GetType(), keys));
    }
}
