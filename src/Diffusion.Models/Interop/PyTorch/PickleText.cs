using System.Collections;
using System.Globalization;
using System.Numerics;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Values of a pickle in words, and as Python prints them.</summary>
internal static class PickleText
{
    // Short, so that the text of a key that is recalled with two bytes is short.
    private const int MaximumItems = 4;
    private const int MaximumText = 32;

    // Where Python begins to print exponents.
    private const int LowestPoint = -4;
    private const int HighestPoint = 16;

    /// <summary>The text of a key; <see langword="null"/> for one that is long, or of another type.</summary>
    public static string? OfKey(object? key)
    {
        if (key is not object?[] items)
        {
            return key is string text ? text : Plain(key);
        }

        var texts = items.Length <= MaximumItems ? Array.ConvertAll(items, item => item is string text ? Quoted(text) : Plain(item)) : [null];
        return texts.Contains(null) ? null : $"({string.Join(", ", texts)}{(texts.Length == 1 ? "," : "")})";
    }

    /// <summary>What a value is, in words.</summary>
    public static string Kind(object? value) => value switch
    {
        null => "None",
        string => "a text",
        bool => "a truth value",
        long or BigInteger => "a whole number",
        double => "a number",
        Complex => "a complex number",
        byte[] => "bytes",
        object?[] items => $"a tuple of {items.Length} values",
        Tensor => "a tensor",
        Storage => "a storage",
        StorageType or PickleClass or PickleFunction => "a type or a function",
        IDictionary => "a dictionary",
        _ => "a list or a set",
    };

    private static string? Plain(object? value) => value switch
    {
        null => "None",
        bool truth => truth ? "True" : "False",
        long number => number.ToString(CultureInfo.InvariantCulture),
        BigInteger number => number.ToString(CultureInfo.InvariantCulture) is { Length: <= MaximumText } text ? text : null,
        double number => Number(number),
        _ => null,
    };

    /// <summary>The shortest digits that give the number; as in Python with an exponent below 1e-4 and from 1e16 on.</summary>
    private static string Number(double value)
    {
        if (!double.IsFinite(value))
        {
            return double.IsNaN(value) ? "nan" : value > 0 ? "inf" : "-inf";
        }

        var parts = Math.Abs(value).ToString("R", CultureInfo.InvariantCulture).Split('E');
        var whole = parts[0].Split('.')[0];
        var all = parts[0].Replace(".", "", StringComparison.Ordinal);
        var digits = all.TrimStart('0');
        var point = whole.Length - (all.Length - digits.Length) + (parts.Length > 1 ? int.Parse(parts[1], CultureInfo.InvariantCulture) : 0); // the digits before it
        digits = digits.TrimEnd('0');
        return (double.IsNegative(value) ? "-" : "") + (digits.Length == 0 ? "0.0"
            : point is <= LowestPoint or > HighestPoint ? string.Create(CultureInfo.InvariantCulture, $"{digits[0]}{(digits.Length > 1 ? "." : "")}{digits[1..]}e{(point > 0 ? '+' : '-')}{Math.Abs(point - 1):00}")
            : point <= 0 ? $"0.{new string('0', -point)}{digits}"
            : digits.Length <= point ? digits.PadRight(point, '0') + ".0"
            : $"{digits[..point]}.{digits[point..]}");
    }

    /// <summary>In quotes; <see langword="null"/> where Python would print something else for a character.</summary>
    private static string? Quoted(string text) => text.Length <= MaximumText && text.All(c => c is >= ' ' and < '\x7F' and not ('\'' or '\\')) ? $"'{text}'" : null;
}
