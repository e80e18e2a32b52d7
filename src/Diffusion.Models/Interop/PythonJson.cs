using System.Text;
using System.Text.Json;

namespace Diffusion.Models;

/// <summary>JSON as Python writes it: a number may also be <c>NaN</c>, <c>Infinity</c> or <c>-Infinity</c>, which JSON does not have.</summary>
/// <remarks>python/cpython, Lib/json/encoder.py, <c>allow_nan</c>, which is true unless it is turned off.</remarks>
internal static class PythonJson
{
    private const string NotANumber = "NaN";
    private const string Infinity = "Infinity";

    private static readonly JsonDocumentOptions s_options = new() { AllowDuplicateProperties = false };

    /// <summary>Reads such a text; a name that an object has twice is an error.</summary>
    public static JsonDocument Parse(string json) => JsonDocument.Parse(ToStandard(json), s_options);

    /// <summary>The same text in plain JSON. An infinity is a number beyond the range of doubles, which is read as one; NaN is the text "NaN", which is no number. Texts stay as they are.</summary>
    public static string ToStandard(string json)
    {
        ArgumentNullException.ThrowIfNull(json);
        if (!json.Contains(NotANumber, StringComparison.Ordinal) && !json.Contains(Infinity, StringComparison.Ordinal))
        {
            return json;
        }

        var (text, inText) = (new StringBuilder(json.Length), false);
        for (var i = 0; i < json.Length; i++)
        {
            if (!inText && Word(json, i) is { } word)
            {
                text.Append(word == NotANumber ? "\"NaN\"" : "1e999");
                i += word.Length - 1;
                continue;
            }

            text.Append(json[i]);
            if (inText && json[i] == '\\' && i + 1 < json.Length)
            {
                text.Append(json[++i]);
            }
            else if (json[i] == '"')
            {
                inText = !inText;
            }
        }

        return text.ToString();
    }

    /// <summary>Which of the words stands at a place as a whole value; for -Infinity the place after its sign.</summary>
    private static string? Word(string json, int start)
    {
        var word = json[start] switch { 'N' => NotANumber, 'I' => Infinity, _ => null };
        return word is not null && json.AsSpan(start).StartsWith(word, StringComparison.Ordinal)
            && (start == 0 || json[start - 1] is ':' or ',' or '[' or '-' || char.IsWhiteSpace(json[start - 1]))
            && json.AsSpan(start + word.Length).TrimStart() is var rest && (rest.IsEmpty || rest[0] is ',' or ']' or '}')
            ? word
            : null;
    }
}
