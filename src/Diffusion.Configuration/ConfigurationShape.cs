using System.ComponentModel;
using System.Globalization;
using System.Reflection;
using System.Text.Json.Serialization;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Configuration;

namespace Diffusion.Configuration;

/// <summary>
/// Compares a configuration with the options type it is bound to and finds every key that the type does not have and every value that
/// cannot be read, which the binder alone would ignore or report one at a time.
/// </summary>
internal static partial class ConfigurationShape
{
    private static readonly HashSet<string> s_names = [.. Names(typeof(RunOptions), [])];

    public static IEnumerable<OptionsError> Errors(IConfiguration configuration, Type type)
    {
        var properties = type.GetProperties(BindingFlags.Public | BindingFlags.Instance)
            .Where(property => property.SetMethod is not null && property.GetCustomAttribute<JsonIgnoreAttribute>() is null)
            .ToDictionary(property => property.Name, StringComparer.OrdinalIgnoreCase);
        var defaults = properties.Count > 0 ? Activator.CreateInstance(type) : null;
        foreach (var child in configuration.GetChildren())
        {
            if (!properties.TryGetValue(child.Key, out var property))
            {
                yield return new OptionsError(child.Path, $"is not an option; there are {string.Join(", ", properties.Keys.Select(CamelCase))}.");
                continue;
            }

            foreach (var error in ValueErrors(child, property.PropertyType, property.GetValue(defaults) is null))
            {
                yield return error;
            }
        }
    }

    /// <summary>A path as configuration files write it: <c>Training:BatchSize</c>, <c>model:down:1:heads</c>, <c>Model.Down[1].Heads</c> → <c>training.batchSize</c>, <c>model.down[1].heads</c>, the same.</summary>
    public static string FilePath(string path) => string.Concat(path.Split(':', '.').Select((segment, i) =>
        segment.All(char.IsAsciiDigit) ? $"[{segment}]" : (i == 0 ? "" : ".") + CamelCase(segment)));

    /// <summary>A message with the names of options as configuration files write them: <c>must be a multiple of NormGroups</c> → <c>must be a multiple of normGroups</c>. The first word of a sentence stays.</summary>
    public static string FileText(string message) =>
        Name().Replace(message, match => match.Value.Split('.').All(s_names.Contains) ? FilePath(match.Value) : match.Value);

    /// <param name="section">The value.</param>
    /// <param name="type">The type of the option.</param>
    /// <param name="optional">Whether it may be <see langword="null"/>, which then is its default.</param>
    private static IEnumerable<OptionsError> ValueErrors(IConfigurationSection section, Type type, bool optional)
    {
        if (ElementType(type) is { } element)
        {
            return section.GetChildren().Any() || string.IsNullOrEmpty(section.Value)
                ? section.GetChildren().SelectMany(item => int.TryParse(item.Key, out _) ? ValueErrors(item, element, optional: false) : [new OptionsError(item.Path, "is a name where the list needs elements.")])
                : [new OptionsError(section.Path, $"must be a list; it is '{section.Value}'.")];
        }

        var scalar = Nullable.GetUnderlyingType(type) ?? type;
        if (scalar.IsEnum || scalar.IsPrimitive || scalar == typeof(string))
        {
            return ScalarErrors(section, scalar, optional || scalar != type);
        }

        return section.Value is { Length: > 0 } text ? [new OptionsError(section.Path, $"must be an object; it is '{text}'.")] : Errors(section, type);
    }

    private static IEnumerable<OptionsError> ScalarErrors(IConfigurationSection section, Type type, bool optional)
    {
        if (section.GetChildren().Any())
        {
            yield return new OptionsError(section.Path, $"must be {Describe(type)}; it is an object or a list.");
        }
        else if (section.Value is null ? !optional : type != typeof(string) && !Converts(type, section.Value))
        {
            yield return new OptionsError(section.Path, $"must be {Describe(type)}; it is {(section.Value is null ? "null" : $"'{section.Value}'")}.");
        }
    }

    private static bool Converts(Type type, string text)
    {
        if (type.IsEnum)
        {
            return Enum.GetNames(type).Contains(text, StringComparer.OrdinalIgnoreCase);
        }

        try
        {
            return TypeDescriptor.GetConverter(type).ConvertFromInvariantString(text) is not null;
        }
        catch (Exception e) when (e is ArgumentException or FormatException or NotSupportedException or OverflowException)
        {
            return false;
        }
    }

    private static string Describe(Type type) =>
        type.IsEnum ? $"one of {string.Join(", ", Enum.GetNames(type).Select(CamelCase))}"
        : type == typeof(bool) ? "true or false"
        : type == typeof(double) ? "a number"
        : type == typeof(string) ? "a text"
        : $"a whole number of at most {(type == typeof(long) ? long.MaxValue : int.MaxValue).ToString(CultureInfo.InvariantCulture)}";

    private static Type? ElementType(Type type) =>
        type.IsGenericType && type.GetGenericTypeDefinition() == typeof(IReadOnlyList<>) ? type.GetGenericArguments()[0] : null;

    /// <summary>The names of all options of a run.</summary>
    private static IEnumerable<string> Names(Type type, HashSet<Type> seen)
    {
        var each = ElementType(type) ?? Nullable.GetUnderlyingType(type) ?? type;
        return each.Assembly.GetName().Name!.StartsWith(nameof(Diffusion), StringComparison.Ordinal) && !each.IsEnum && seen.Add(each)
            ? each.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(property => property.SetMethod is not null).SelectMany(property => Names(property.PropertyType, seen).Prepend(property.Name))
            : [];
    }

    [GeneratedRegex(@"(?<=[^.!?]\s|\()[A-Z][a-z]\w*(\.[A-Z][a-z]\w*)*\b")]
    private static partial Regex Name();

    private static string CamelCase(string name) => name.Length == 0 ? name : char.ToLowerInvariant(name[0]) + name[1..];
}
