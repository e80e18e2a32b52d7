using System.Globalization;

namespace Diffusion.Benchmarks;

/// <summary>Repeated measurements of one quantity.</summary>
internal sealed class Samples
{
    private readonly double[] _ordered;

    /// <param name="values">At least one.</param>
    public Samples(IEnumerable<double> values) =>
        _ordered = [.. values.Order()];

    public int Count => _ordered.Length;

    public double Least => _ordered[0];

    public double Most => _ordered[^1];

    public double Median => (_ordered[(Count - 1) / 2] + _ordered[Count / 2]) / 2;

    /// <summary>The quotients of measurements that were taken in pairs.</summary>
    public static Samples Ratios(IReadOnlyList<double> numerators, IReadOnlyList<double> denominators) =>
        new(numerators.Zip(denominators, (numerator, denominator) => numerator / denominator));

    /// <summary>Median and, in brackets, the smallest and the largest.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Median:0.00} ({Least:0.00}–{Most:0.00})");
}
