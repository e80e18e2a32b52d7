using System.Globalization;

namespace Diffusion.Benchmarks;

/// <summary>How good the images of a sampler are, a value for each seed.</summary>
/// <param name="Name">The sampler, its steps and their spacing.</param>
/// <param name="Calls">Calls of the network for a batch.</param>
/// <param name="Seconds">For all images of a seed.</param>
/// <param name="HeldOut">Distances to images that were not trained on.</param>
/// <param name="Training">Distances to images that were.</param>
internal sealed record SamplerQuality(string Name, int Calls, double Seconds, IReadOnlyList<double> HeldOut, IReadOnlyList<double> Training)
{
    public double Mean => HeldOut.Average();

    /// <summary>The largest less the smallest distance to held-out images.</summary>
    public double Spread => HeldOut.Max() - HeldOut.Min();

    /// <summary>A row of the table.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"| {Name} | {Calls} | {Seconds:0.0} | {Text(HeldOut)} | {Text(Training)} |");

    private static string Text(IReadOnlyList<double> values) =>
        string.Create(CultureInfo.InvariantCulture, $"{values.Average():0.0000}") + (values.Count > 1 ? string.Create(CultureInfo.InvariantCulture, $" ({values.Min():0.0000}–{values.Max():0.0000})") : "");
}
