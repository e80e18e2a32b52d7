using System.Text.Json;

namespace Diffusion.Models;

/// <summary>The arguments of another project's network as a JSON object. What is read is ticked off, so that what nobody reads is an error.</summary>
internal sealed class NetworkConfig
{
    private const int MaxLayers = 1024;
    private const int FewKeys = 10;
    private const int LongestValue = 80;

    private readonly HashSet<string> _read = new(StringComparer.Ordinal);

    private NetworkConfig(JsonElement json, string className) => (Json, ClassName) = (json, className);

    public JsonElement Json { get; }

    public string ClassName { get; }

    public static NetworkConfig Parse(string json, string className)
    {
        ArgumentNullException.ThrowIfNull(json);
        try
        {
            using var document = JsonDocument.Parse(PythonJson.ToStandard(json));
            ReadTexts(document.RootElement);
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new NetworkConfig(document.RootElement.Clone(), className)
                : throw new InvalidDataException($"The configuration of a {className} is a JSON object; this is {document.RootElement.ValueKind}.");
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new InvalidDataException($"The configuration of the {className} is not JSON: {error.Message}", error);
        }
    }

    /// <summary>Whether the object has the key, and not null.</summary>
    public bool Has(string name) => Value(name) is { ValueKind: not JsonValueKind.Null };

    public bool Flag(string name, bool otherwise) => Value(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.True or JsonValueKind.False } value => value.GetBoolean(),
        { } value => throw Wrong(name, value, "true or false"),
    };

    public double Number(string name, double otherwise) => Value(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.Number } value when double.IsFinite(value.GetDouble()) => value.GetDouble(),
        { } value => throw Wrong(name, value, "a number"),
    };

    /// <summary>A whole number; <paramref name="otherwise"/> where the key is missing, <paramref name="none"/> where the value is null.</summary>
    public int? Whole(string name, int? otherwise, int? none) => Value(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.Null } => none,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var whole) => whole,
        { } value => throw Wrong(name, value, "a whole number"),
    };

    public int Whole(string name, int otherwise) => Value(name) switch
    {
        null => otherwise,
        { ValueKind: JsonValueKind.Number } value when value.TryGetInt32(out var whole) => whole,
        { } value => throw Wrong(name, value, "a whole number"),
    };

    /// <summary>A number of layers, of which a network that can be built has no more than this.</summary>
    public int Layers(string name, int? otherwise)
    {
        var layers = otherwise is { } number ? Whole(name, number) : Needed(name);
        return layers is >= 1 and <= MaxLayers ? layers : throw Wrong(name, Value(name)!.Value, $"from 1 to {MaxLayers}");
    }

    /// <summary>A whole number of at least 1 that has no default.</summary>
    public int Needed(string name) => Value(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out var whole) && whole >= 1
        ? whole
        : throw new InvalidDataException($"{ClassName}: \"{name}\" must be a whole number of at least 1; it is {(Value(name) is { } given ? Shown(given) : "missing")}.");

    /// <summary>One of these texts; <see langword="null"/> where the value is null and <paramref name="nullable"/> allows it.</summary>
    public string? OneOf(string name, string? otherwise, bool nullable, params ReadOnlySpan<string> known)
    {
        if (Value(name) is not { } value)
        {
            return otherwise;
        }

        if (nullable && value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.String && known.Contains(value.GetString()!)
            ? value.GetString()
            : throw Wrong(name, value, $"one of {string.Join(", ", known.ToArray())}{(nullable ? ", null" : string.Empty)}");
    }

    public IReadOnlyList<string> Texts(string name, IReadOnlyList<string> otherwise, params ReadOnlySpan<string> known)
    {
        if (Value(name) is not { } value)
        {
            return otherwise;
        }

        foreach (var item in value.ValueKind == JsonValueKind.Array ? value.EnumerateArray().ToArray() : throw Wrong(name, value, "a list of texts"))
        {
            if (item.ValueKind != JsonValueKind.String || !known.Contains(item.GetString()!))
            {
                throw Wrong(name, item, $"a list of {string.Join(", ", known.ToArray())}");
            }
        }

        return [.. value.EnumerateArray().Select(item => item.GetString()!)];
    }

    public IReadOnlyList<double> Numbers(string name, IReadOnlyList<double> otherwise) => Value(name) is not { } value
        ? otherwise
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number && double.IsFinite(item.GetDouble()))
            ? [.. value.EnumerateArray().Select(item => item.GetDouble())]
            : throw Wrong(name, value, "a list of numbers");

    public IReadOnlyList<int> Wholes(string name, IReadOnlyList<int> otherwise) => Value(name) is not { } value
        ? otherwise
        : value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.Number && item.TryGetInt32(out _))
            ? [.. value.EnumerateArray().Select(item => item.GetInt32())]
            : throw Wrong(name, value, "a list of whole numbers");

    /// <summary>The value as it is, or <see langword="null"/> where the key is missing.</summary>
    public JsonElement? Value(string name)
    {
        _read.Add(name);
        return Json.TryGetProperty(name, out var value) ? value : null;
    }

    public InvalidDataException Wrong(string name, JsonElement value, string needed) =>
        new($"{ClassName}: \"{name}\" must be {needed}; it is {Shown(value)}.");

    /// <summary>An error for what is there and was not read; names that begin with an underscore are notes.</summary>
    public void ThrowIfUnread()
    {
        var unread = Json.EnumerateObject().Where(entry => entry.Name[..Math.Min(1, entry.Name.Length)] != "_" && !_read.Contains(entry.Name)).ToList();
        if (unread.Count > 0)
        {
            throw new InvalidDataException($"{ClassName}: this library does not know {string.Join(", ", unread.Take(FewKeys).Select(entry => $"\"{entry.Name}\" ({Shown(entry.Value)})"))}{(unread.Count > FewKeys ? $" and {unread.Count - FewKeys} more" : "")}.");
        }
    }

    private static string Shown(JsonElement value)
    {
        var text = string.Join(' ', value.GetRawText().Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
        return text.Length > LongestValue ? $"{text[..LongestValue]}…" : text;
    }

    /// <summary>Reads every name and text once: one that is no Unicode text throws here and nowhere later.</summary>
    private static void ReadTexts(JsonElement element)
    {
        foreach (var entry in element.ValueKind == JsonValueKind.Object ? element.EnumerateObject().ToArray() : [])
        {
            _ = entry.Name;
            ReadTexts(entry.Value);
        }

        foreach (var item in element.ValueKind == JsonValueKind.Array ? element.EnumerateArray().ToArray() : [])
        {
            ReadTexts(item);
        }

        _ = element.ValueKind == JsonValueKind.String ? element.GetString() : null;
    }
}
