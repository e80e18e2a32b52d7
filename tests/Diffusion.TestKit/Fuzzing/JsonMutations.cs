using System.Text;
using System.Text.Json.Nodes;

namespace Diffusion;

/// <summary>JSON texts in which values are replaced, removed or repeated, the same for the same seed. Unlike <see cref="Mutations"/> the result is JSON.</summary>
public static class JsonMutations
{
    private static readonly string[] s_telling =
    [
        "null", "true", "false", "0", "-1", "1", "2", "0.5", "1e-320", "-0.0", "1e308", "1e999", "9999999", "2147483647", "2147483648", "4294967296", "9223372036854775807",
        "18446744073709551616", "\"\"", "\"x\"", "\"..\"", "\"\\ud800\"", "\"1000\"", "\"NaN\"", "[]", "[0]", "[null]", "[1e999]", "[2,-1]", "{}", "{\"a\":1}",
        "[[[[[[[[]]]]]]]]", "\"linear\"", "\"sample\"", "\"trailing\"",
    ];

    /// <summary>Changes one to three values of a text, again and again.</summary>
    /// <param name="original">A JSON object, UTF-8; not changed.</param>
    /// <param name="count">How many texts.</param>
    /// <param name="seed">What they depend on.</param>
    public static IEnumerable<byte[]> Of(byte[] original, int count, int seed)
    {
        var random = new Random(seed);
        for (var i = 0; i < count; i++)
        {
            var root = JsonNode.Parse(original)!;
            var places = new List<string>();
            for (var changes = random.Next(1, 4); changes > 0; changes--)
            {
                Change(root, random, places);
            }

            yield return Encoding.UTF8.GetBytes(Fill(root.ToJsonString(), places));
        }
    }

    private static void Change(JsonNode root, Random random, List<string> places)
    {
        var nodes = Descendants(root).ToList();
        if (nodes.Count == 0)
        {
            return;
        }

        var (parent, key, index) = nodes[random.Next(nodes.Count)];
        // A telling value need not be one that a node can hold: a mark is written and replaced in the text.
        var mark = $"@@{places.Count}@@";
        var telling = s_telling[random.Next(s_telling.Length)];
        switch (parent)
        {
            case JsonObject map when random.Next(8) == 0:
                map.Remove(key!);
                break;
            case JsonObject map:
                map[key!] = mark;
                places.Add(telling);
                break;
            case JsonArray list when random.Next(4) == 0:
                list.Add(list[index]?.DeepClone());
                break;
            case JsonArray list:
                list[index] = mark;
                places.Add(telling);
                break;
        }
    }

    private static IEnumerable<(JsonNode Parent, string? Key, int Index)> Descendants(JsonNode node)
    {
        IEnumerable<(JsonNode Parent, string? Key, int Index, JsonNode? Child)> children = node switch
        {
            JsonObject map => map.Select(item => ((JsonNode)map, (string?)item.Key, 0, item.Value)),
            JsonArray list => list.Select((item, i) => ((JsonNode)list, (string?)null, i, item)),
            _ => [],
        };
        foreach (var (parent, key, index, child) in children.ToList())
        {
            yield return (parent, key, index);
            foreach (var below in child is null ? [] : Descendants(child))
            {
                yield return below;
            }
        }
    }

    private static string Fill(string text, List<string> places)
    {
        for (var i = 0; i < places.Count; i++)
        {
            text = text.Replace($"\"@@{i}@@\"", places[i], StringComparison.Ordinal);
        }

        return text;
    }
}
