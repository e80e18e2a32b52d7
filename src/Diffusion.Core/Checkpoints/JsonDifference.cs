using System.Globalization;
using System.Text.Json;

namespace Diffusion;

/// <summary>What differs between two JSON values, leaf by leaf.</summary>
internal static class JsonDifference
{
    /// <summary>A line for each: <c>learningRate: 0.0001 → 0.0002</c>.</summary>
    public static IEnumerable<string> Between(JsonElement before, JsonElement after) => Between("", before, after);

    private static IEnumerable<string> Between(string path, JsonElement? before, JsonElement? after)
    {
        if (before is { } one && after is { } other && JsonElement.DeepEquals(one, other))
        {
            return [];
        }

        var (from, to) = (Parts(before), Parts(after));
        return from is null && to is null
            ? [$"{path}: {Text(before)} → {Text(after)}"]
            : (from ?? []).Keys.Union((to ?? []).Keys).SelectMany(key => Between(path.Length == 0 ? key : $"{path}.{key}", Find(from, key), Find(to, key)));
    }

    private static JsonElement? Find(Dictionary<string, JsonElement>? parts, string key) => parts is not null && parts.TryGetValue(key, out var part) ? part : null;

    private static Dictionary<string, JsonElement>? Parts(JsonElement? value) => value?.ValueKind switch
    {
        JsonValueKind.Object => value.Value.EnumerateObject().ToDictionary(property => property.Name, property => property.Value),
        JsonValueKind.Array => value.Value.EnumerateArray().Select((item, i) => (item, i)).ToDictionary(each => each.i.ToString(CultureInfo.InvariantCulture), each => each.item),
        _ => null,
    };

    private static string Text(JsonElement? value) => value?.GetRawText() ?? "absent";
}
