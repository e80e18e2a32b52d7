using System.Globalization;

namespace Diffusion.Evaluation;

/// <summary>One measured value, with what belongs to it.</summary>
/// <param name="Name">What it is: <c>frechetDistance</c>, for example. A name keeps its meaning from version to version.</param>
/// <param name="Value">The value; finite.</param>
/// <param name="Images">The number of images that were measured, at least 1.</param>
public sealed record EvaluationFigure(string Name, double Value, long Images)
{
    /// <summary>The standard error of the value, in its unit; <see langword="null"/> (default) where it is not estimated.</summary>
    public double? StandardError { get; init; }

    /// <summary>What the value is expected to be for two sets of so many images of the reference's own distribution; <see langword="null"/> (default) where it is not known.</summary>
    public double? Bias { get; init; }

    /// <summary>The number of images that were compared with; <see langword="null"/> (default) where there are none, or where a file of statistics does not say.</summary>
    public long? ReferenceImages { get; init; }

    /// <summary>The images that were compared with; <see langword="null"/> (default) where there are none.</summary>
    public string? Reference { get; init; }

    /// <summary>The name of the features (<see cref="IFeatureExtractor.Name"/>): values of others cannot be compared. <see langword="null"/> (default) where none were used.</summary>
    public string? Features { get; init; }

    /// <summary>What else is to be known, in one line; <see langword="null"/> (default) where there is nothing.</summary>
    public string? Remark { get; init; }

    /// <summary>The name, the value and what belongs to it, in one line.</summary>
    public override string ToString() => FormattableString.Invariant($"{Name} {Value:G6}{Text(" ± ", StandardError, "")}{Text(" (bias ", Bias, ")")}, {Images} images{Against}");

    private string Against => Reference is null ? "" : FormattableString.Invariant($" against {(object?)ReferenceImages ?? "an unknown number"} of {Reference}");

    private static string Text(string before, double? value, string after) => value is null ? "" : before + value.Value.ToString("G3", CultureInfo.InvariantCulture) + after;
}
