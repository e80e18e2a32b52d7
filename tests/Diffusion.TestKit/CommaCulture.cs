using System.Globalization;

namespace Diffusion;

/// <summary>A culture that writes numbers as most of Europe does. The tests run without the data of the system's cultures.</summary>
public static class CommaCulture
{
    public static CultureInfo Create()
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        var numbers = culture.NumberFormat;
        (numbers.NumberDecimalSeparator, numbers.NumberGroupSeparator) = (",", ".");
        (numbers.PercentDecimalSeparator, numbers.PercentGroupSeparator) = (",", ".");
        (numbers.CurrencyDecimalSeparator, numbers.CurrencyGroupSeparator) = (",", ".");
        numbers.NegativeSign = "−";
        (culture.DateTimeFormat.TimeSeparator, culture.DateTimeFormat.DateSeparator) = (".", ".");
        return culture;
    }
}
