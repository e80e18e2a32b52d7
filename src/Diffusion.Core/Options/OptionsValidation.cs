using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Diffusion;

/// <summary>Helps options validate themselves.</summary>
internal static class OptionsValidation
{
    /// <summary>Throws if there is any mistake; the message lists them all.</summary>
    /// <param name="options">The options.</param>
    /// <param name="name">The argument's name, filled in by the compiler.</param>
    /// <exception cref="ArgumentException">The options have mistakes.</exception>
    public static void ThrowIfInvalid(this IValidatedOptions options, [CallerArgumentExpression(nameof(options))] string name = "")
    {
        ArgumentNullException.ThrowIfNull(options, name);
        var errors = options.Validate().ToList();
        if (errors.Count > 0)
        {
            throw new ArgumentException($"{options.GetType().Name} has {errors.Count} mistake(s): {string.Join(" ", errors)}", name);
        }
    }

    /// <summary>A mistake if the value is outside a closed range.</summary>
    /// <typeparam name="T">A number.</typeparam>
    /// <param name="value">The value.</param>
    /// <param name="path">The option's name.</param>
    /// <param name="min">The smallest value allowed.</param>
    /// <param name="max">The largest value allowed; <see langword="null"/> for none.</param>
    /// <returns>The mistake, or nothing.</returns>
    public static IEnumerable<OptionsError> Range<T>(T value, string path, T min, T? max = null)
        where T : struct, INumber<T>
    {
        if (!T.IsFinite(value) || value < min || value > max)
        {
            var range = max is { } limit ? string.Create(CultureInfo.InvariantCulture, $"in [{min}, {limit}]") : string.Create(CultureInfo.InvariantCulture, $"at least {min}");
            yield return new OptionsError(path, string.Create(CultureInfo.InvariantCulture, $"must be {range}; it is {value}."));
        }
    }

    /// <summary>A mistake if the value is none of the enumeration.</summary>
    internal static IEnumerable<OptionsError> Defined<T>(T value, string path)
        where T : struct, Enum => Enum.IsDefined(value)
            ? []
            : [new OptionsError(path, string.Create(CultureInfo.InvariantCulture, $"must be one of {string.Join(", ", Enum.GetNames<T>())}; it is {value}."))];
}
