using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Numerics;

namespace Diffusion.Sample;

/// <summary>Options that are numbers, the same wherever the program runs: a point before decimals, nothing between thousands, the digits 0 to 9, and finite.</summary>
internal static class NumberOption
{
    public static Option<T?> Optional<T>(string name, string description)
        where T : struct, INumber<T>, IMinMaxValue<T> => new(name) { Description = description, CustomParser = result => Read<T>(result) is [.., var last] ? last : null };

    public static Option<T> WithDefault<T>(string name, T value, string description)
        where T : struct, INumber<T>, IMinMaxValue<T> => new(name) { Description = description, CustomParser = result => Read<T>(result) is [.., var last] ? last : value, DefaultValueFactory = _ => value };

    public static Option<T[]> Several<T>(string name, string description)
        where T : struct, INumber<T>, IMinMaxValue<T> => new(name) { Description = description, CustomParser = Read<T>, AllowMultipleArgumentsPerToken = true };

    private static T[] Read<T>(ArgumentResult result)
        where T : struct, INumber<T>, IMinMaxValue<T>
    {
        var numbers = new List<T>();
        foreach (var token in result.Tokens)
        {
            if (TryRead<T>(token.Value, out var number))
            {
                numbers.Add(number);
            }
            else
            {
                result.AddError($"Cannot parse argument '{token.Value}' for option '{((OptionResult)result.Parent!).Option.Name}': it must be {Kind<T>()}.");
            }
        }

        return [.. numbers];
    }

    private static bool TryRead<T>(string text, out T number)
        where T : struct, INumber<T> =>
        T.TryParse(text, IsWhole<T>() ? NumberStyles.AllowLeadingSign : NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent, CultureInfo.InvariantCulture, out number)
        && T.IsFinite(number);

    private static string Kind<T>()
        where T : struct, INumber<T>, IMinMaxValue<T> => IsWhole<T>() ? string.Create(CultureInfo.InvariantCulture, $"a whole number from {T.MinValue} to {T.MaxValue}") : "a number with a decimal point, such as 1.5";

    private static bool IsWhole<T>()
        where T : struct, INumber<T> => T.IsZero(T.One / (T.One + T.One));
}
