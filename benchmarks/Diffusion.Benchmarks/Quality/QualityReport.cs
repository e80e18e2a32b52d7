using System.Globalization;

namespace Diffusion.Benchmarks;

/// <summary>The distances of all samplers, those of real images, and whether few steps are as good as all.</summary>
/// <param name="Slow">DDPM with all timesteps.</param>
/// <param name="Fast">DPM-Solver++ with few, without and with noise: both are of its paper, arXiv:2211.01095.</param>
/// <param name="Others">For context.</param>
/// <param name="Real">As many real images: of the training images to those held out, and the other way round.</param>
/// <param name="Floor">Between two sets of as many real images.</param>
internal sealed record QualityReport(SamplerQuality Slow, IReadOnlyList<SamplerQuality> Fast, IReadOnlyList<SamplerQuality> Others, (double HeldOut, double Training) Real, double Floor)
{
    private const double Allowed = 1.1;

    /// <summary>The mean distances of few steps over that of all.</summary>
    public IReadOnlyList<double> Ratios => [.. Fast.Select(fast => fast.Mean / Slow.Mean)];

    /// <summary>Whether one form of DPM-Solver++ is as good.</summary>
    public bool Passed => Ratios.Any(ratio => ratio <= Allowed);

    /// <summary>The table and what follows from it.</summary>
    public override string ToString() => string.Join('\n',
    [
        "| sampler | network calls | seconds | Fréchet distance to held-out images | to training images |",
        "|---|---|---|---|---|",
        .. Fast.Prepend(Slow).Concat(Others).Select(each => each.ToString()),
        string.Create(CultureInfo.InvariantCulture, $"| none: real images | | | {Real.HeldOut:0.0000} | {Real.Training:0.0000} |"),
        "",
        string.Create(CultureInfo.InvariantCulture, $"Noise floor, between two sets of as many held-out images that share none: {Floor:0.0000}."),
        .. Fast.Zip(Ratios, (fast, ratio) => string.Create(CultureInfo.InvariantCulture, $"{fast.Name} over {Slow.Name}: ratio {ratio:0.000}, allowed {Allowed:0.0}: {(ratio <= Allowed ? "as good" : "not as good")}. {Chance(fast)}")),
    ]);

    private string Chance(SamplerQuality fast)
    {
        if (Slow.HeldOut.Count == 1)
        {
            return "With one seed each nothing says whether the difference is more than chance.";
        }

        var (difference, spread) = (fast.Mean - Slow.Mean, Math.Max(Slow.Spread, fast.Spread));
        return string.Create(CultureInfo.InvariantCulture, $"The means differ by {difference:+0.0000;-0.0000;0.0000}; between {Slow.HeldOut.Count} seeds of one sampler the distance differs by up to {spread:0.0000}: ")
            + (Math.Abs(difference) > spread ? "more than between seeds." : "no more than between seeds.");
    }
}
