namespace Diffusion.Benchmarks;

/// <summary>What a measurement should come to.</summary>
/// <param name="Key">Its name in files.</param>
/// <param name="What">What it is, in words.</param>
/// <param name="Bounds">The goal at each level.</param>
/// <param name="IsUpper">Whether the goal is at most the bound (default), or at least.</param>
internal sealed record Goal(string Key, string What, Bounds Bounds, bool IsUpper = true)
{
    /// <summary>The goal at a level; <see langword="null"/> for none.</summary>
    public double? Bound(ProcessorLevel level) => Bounds.At(level);

    /// <summary>Whether it is met: by the median; as good as eager is what is so in one of the rounds.</summary>
    public bool? IsMet(ProcessorLevel level, Samples values) => Bound(level) is not { } bound ? null
        : IsUpper ? (bound == 1 ? values.Least : values.Median) <= bound
        : values.Median >= bound;

    /// <summary>The goal in words.</summary>
    public string Describe(ProcessorLevel level) => Bound(level) is { } bound ? string.Create(System.Globalization.CultureInfo.InvariantCulture, $"{(IsUpper ? "≤" : "≥")} {bound}") : "";
}
