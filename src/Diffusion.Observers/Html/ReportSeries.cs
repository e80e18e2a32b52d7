namespace Diffusion.Observers;

/// <summary>One line of a chart.</summary>
/// <param name="Name">What the legend calls it.</param>
/// <param name="Style">The class of its strokes in the style sheet of the page.</param>
/// <param name="Points">Its points; a line needs two.</param>
/// <param name="Band">Whether the area between the least and the greatest numbers of its points is shown, too.</param>
internal sealed record ReportSeries(string Name, string Style, IReadOnlyList<ReportCurve.Point> Points, bool Band = false);
