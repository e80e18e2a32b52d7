using System.Globalization;

namespace Diffusion.Evaluation;

/// <summary>A distance between two sets of images, with what it takes to read it: figures of unlike numbers of images cannot be compared.</summary>
/// <param name="Value">The distance.</param>
/// <param name="StandardError">The standard error of <paramref name="Value"/>, in its unit; <see langword="null"/> where it is not estimated.</param>
/// <param name="Bias">What the distance is expected to be for two sets of so many images of the reference's own distribution, in the unit of <paramref name="Value"/>: 0 for an unbiased distance, <see langword="null"/> where it is not known.</param>
/// <param name="Images">The number of images that were compared, at least 1; <see langword="null"/> where it is not known.</param>
/// <param name="ReferenceImages">The number of images of the reference, at least 1; <see langword="null"/> where it is not known.</param>
public sealed record DistanceEstimate(double Value, double? StandardError, double? Bias, long? Images, long? ReferenceImages)
{
    /// <summary>What else is to be known about the figure, as a part of a sentence; <see langword="null"/> (default) where there is nothing.</summary>
    public string? Remark { get; init; }

    /// <summary>The figure and what belongs to it, in one line of no culture: <c>12.3 (2000 images against 10000, unlike numbers; bias 1.4)</c>.</summary>
    public override string ToString()
    {
        var error = StandardError is { } given ? string.Create(CultureInfo.InvariantCulture, $" ± {given:G2}") : "";
        var bias = Bias is { } expected ? string.Create(CultureInfo.InvariantCulture, $"bias {expected:G3}") : "bias not known";
        return string.Create(CultureInfo.InvariantCulture, $"{Value:G6}{error} ({Numbers()}; {bias}{(Remark is null ? "" : "; " + Remark)})");
    }

    private string Numbers() => (Images, ReferenceImages) switch
    {
        (null, null) => "unknown numbers of images",
        (null, { } of) => $"an unknown number of images against {of}",
        ({ } of, null) => $"{of} images against an unknown number",
        ({ } some, { } of) => $"{some} images against {of}{(some == of ? "" : ", unlike numbers")}",
    };
}
