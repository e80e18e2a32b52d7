using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Diffusion.Configuration;
using Microsoft.Extensions.Options;

namespace Diffusion.Benchmarks;

/// <summary>What a key may be, as the library itself says when it refuses a value.</summary>
internal static partial class AllowedValues
{
    private const string Whole = """{ "data": { "path": "images" }, "model": { "down": [{ "channels": 8 }, { "channels": 8 }] } }""";

    /// <summary>What a value, or an element of a list, may be: for the text of a table.</summary>
    public static string Of(OptionKey key)
    {
        var type = key.Type;
        if (type.IsEnum)
        {
            return string.Join(", ", Enum.GetNames(type).Select(name => $"`{OptionSection.CamelCase(name)}`"));
        }

        if (type == typeof(bool))
        {
            return "`true`, `false`";
        }

        if (type == typeof(string))
        {
            return Names(key) is { Length: > 0 } names ? names : "text";
        }

        var kind = type == typeof(double) ? "number" : "whole number";
        return Refusals(key, JsonValue.Create(-1_000_000_000)).Select(message => Range().Match(message)).FirstOrDefault(match => match.Success) is { } range
            ? $"{kind}, {range.Groups[1].Value}"
            : kind;
    }

    /// <summary>Whether a configuration must give the key: what it is without is refused.</summary>
    public static bool IsNeeded(OptionKey key) => key.Default is not null && (key.IsList || key.Type == typeof(string) || key.Type.IsPrimitive) && Refusals(key, JsonSerializer.SerializeToNode(key.Default)).Any();

    /// <summary>Whether the object of this key is refused whatever it holds: tried with one of its options at its default, for an empty object is none.</summary>
    public static bool IsRefused(OptionKey key)
    {
        if (key.IsList || key.Type.GetProperties().FirstOrDefault(property => property.PropertyType.IsPrimitive && property.SetMethod is not null) is not { } option)
        {
            return false;
        }

        var some = new JsonObject { [OptionSection.CamelCase(option.Name)] = JsonSerializer.SerializeToNode(option.GetValue(Activator.CreateInstance(key.Type))) };
        return Refusals(key, some).Any(message => message.StartsWith("must be null", StringComparison.Ordinal));
    }

    /// <summary>What is wrong with a configuration in which the key has this value, as far as it is said of the key.</summary>
    public static IEnumerable<string> Refusals(OptionKey key, JsonNode? value)
    {
        var path = key.Path.Replace("[]", "[0]", StringComparison.Ordinal) + " ";
        try
        {
            RunConfiguration.Parse(With(key.Path, value).ToJsonString());
            return [];
        }
        catch (OptionsValidationException e)
        {
            return e.Failures.Where(failure => failure.StartsWith(path, StringComparison.Ordinal)).Select(failure => failure[path.Length..]);
        }
    }

    private static string Names(OptionKey key) => string.Join(", ", Refusals(key, JsonValue.Create("?"))
        .Select(message => OneOf().Match(message)).Where(match => match.Success)
        .SelectMany(match => match.Groups[1].Value.Split(", ")).Select(name => $"`{name}`"));

    /// <summary>A configuration that is right but for one value.</summary>
    private static JsonObject With(string path, JsonNode? value)
    {
        var root = JsonNode.Parse(Whole)!.AsObject();
        var parts = path.Split('.');
        var here = root;
        foreach (var part in parts[..^1])
        {
            var name = part.Replace("[]", "", StringComparison.Ordinal);
            here = name.Length == part.Length
                ? (here[name] ??= new JsonObject()).AsObject()
                : Element((here[name] ??= new JsonArray()).AsArray());
        }

        here[parts[^1]] = value;
        return root;
    }

    private static JsonObject Element(JsonArray list)
    {
        if (list.Count == 0)
        {
            list.Add(new JsonObject { ["channels"] = 8 });
        }

        return list[0]!.AsObject();
    }

    [GeneratedRegex(@"^must be (at least -?[\d.E-]+|above -?[\d.E-]+|in [\[(][^\])]*[\])]|even and at least \d+|1 \(grey\) or 3 \(RGB\)); it is")]
    private static partial Regex Range();

    [GeneratedRegex(@"^must be one of (.*); it is")]
    private static partial Regex OneOf();
}
