using System.Globalization;

namespace Diffusion.Evaluation;

/// <summary>The figures of a set of images: a table for people (<see cref="ToString"/>), JSON for programs.</summary>
public sealed record EvaluationReport
{
    /// <summary>What the images are: the run or the folder that they come from.</summary>
    public required string Images { get; init; }

    /// <summary>The number of images, at least 1.</summary>
    public required long Count { get; init; }

    /// <summary>The name of the features (<see cref="IFeatureExtractor.Name"/>); <c>none</c> where pixels alone were compared.</summary>
    public required string Features { get; init; }

    /// <summary>The measured values; each name at most once.</summary>
    public IReadOnlyList<EvaluationFigure> Figures { get; init; } = [];

    /// <summary>How many images the classifier takes for which class, by label; empty without a classifier.</summary>
    public IReadOnlyList<(string Class, long Images)> Classes { get; init; } = [];

    /// <summary>What else is to be known: what was not measured and why, for example. One line each.</summary>
    public IReadOnlyList<string> Remarks { get; init; } = [];

    /// <summary>How the images and the figures were made: seeds, sampler, processor, version. Text, numbers, <see cref="bool"/> or <see langword="null"/>.</summary>
    public IReadOnlyDictionary<string, object?> Settings { get; init; } = new Dictionary<string, object?>();

    /// <summary>A figure by its name.</summary>
    /// <param name="name">The name: <c>frechetDistance</c>, for example.</param>
    /// <returns>The figure; <see langword="null"/> where it was not measured.</returns>
    public EvaluationFigure? Find(string name) => Figures.FirstOrDefault(figure => figure.Name == name);

    /// <summary>The report as JSON, numbers to their last digit. The names of the keys stay as they are from version to version.</summary>
    /// <returns>Indented JSON; the same report gives the same text.</returns>
    /// <exception cref="InvalidOperationException">A value is not finite, or a setting is of another type.</exception>
    public string ToJson() => EvaluationJson.Of(this);

    /// <summary>Writes the report as JSON; the file is whole or what was there before.</summary>
    /// <param name="path">The file; its folder is created if need be.</param>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public void Write(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        AtomicFile.WriteText(path, ToJson());
    }

    /// <summary>The table of figures, in Markdown, and what is to be known beside it.</summary>
    public override string ToString() => string.Join('\n',
    [
        $"{Count} images: {Images}",
        $"Features: {Features}",
        "",
        "| figure | value | standard error | bias | images | against |",
        "|---|---|---|---|---|---|",
        .. Figures.Select(Row),
        .. Classes.Count == 0 ? Array.Empty<string>() : ["", $"Classes as they are seen: {string.Join(", ", Classes.Select(each => $"{each.Class} {each.Images}"))}"],
        .. Figures.Where(figure => figure.Remark is not null).Select(figure => $"{figure.Name}: {figure.Remark}").Concat(Remarks).Distinct().ToArray() is { Length: > 0 } remarks ? ["", .. remarks] : Array.Empty<string>(),
    ]);

    private static string Row(EvaluationFigure figure) => string.Create(
        CultureInfo.InvariantCulture,
        $"| {figure.Name} | {figure.Value:G6} | {figure.StandardError:G3} | {figure.Bias:G3} | {figure.Images} | {Against(figure)} |");

    private static string Against(EvaluationFigure figure) =>
        figure.Reference is null ? ""
        : $"{figure.ReferenceImages?.ToString(CultureInfo.InvariantCulture) ?? "an unknown number"} of {figure.Reference}{(figure.Bias is not null && figure.ReferenceImages is { } number && number != figure.Images ? ", unlike numbers" : "")}".Replace('|', '/');
}
