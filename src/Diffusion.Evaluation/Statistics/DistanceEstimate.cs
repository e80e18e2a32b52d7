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
    /// <summary>What else is to be known about the figure, as one line of text; <see langword="null"/> (default) where there is nothing.</summary>
    public string? Remark { get; init; }

    /// <summary>The figure and what belongs to it, in one line: <c>12.3 (bias 0.4, 10000 images against 60000)</c>.</summary>
    public override string ToString()
    {
        var value = string.Create(CultureInfo.InvariantCulture, $"{Value:G6}");
        return value;
    }
}
