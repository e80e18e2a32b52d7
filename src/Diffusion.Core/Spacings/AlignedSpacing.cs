namespace Diffusion;

/// <summary>Tables of σ/α found by optimisation for a family of models, for few steps; other counts by interpolation of ln(σ/α).</summary>
/// <remarks>Align Your Steps, arXiv:2404.14507, the schedules published with it: 10 steps each.</remarks>
internal sealed class AlignedSpacing : StepSpacing
{
    private readonly double[] _ratios;

    private AlignedSpacing(string name, double[] ratios)
    {
        Name = name;
        _ratios = ratios;
    }

    /// <summary>"ays-sd1", "ays-sdxl" and "ays-svd".</summary>
    public static IReadOnlyList<StepSpacing> Tables { get; } =
    [
        new AlignedSpacing("ays-sd1", [14.6146412293, 6.4745760956, 3.8636745985, 2.6946151520, 1.8841921177, 1.3943805092, 0.9642583904, 0.6523686016, 0.3977456272, 0.1515232662, 0.0291671582]),
        new AlignedSpacing("ays-sdxl", [14.6146412293, 6.3184485287, 3.7681790315, 2.1811480769, 1.3405244945, 0.8620721141, 0.5550693289, 0.3798540708, 0.2332364134, 0.1114188177, 0.0291671582]),
        new AlignedSpacing("ays-svd", [700, 54.5, 15.886, 7.977, 4.248, 1.789, 0.981, 0.403, 0.173, 0.034, 0.002]),
    ];

    public override string Name { get; }

    public override IReadOnlyList<NoiseLevel> Levels(INoiseSchedule schedule, int? steps)
    {
        ArgumentNullException.ThrowIfNull(schedule);
        var count = steps ?? _ratios.Length - 1;
        return [.. Enumerable.Range(0, count).Select(i => schedule.LevelWithRatio(At((double)i * (_ratios.Length - 1) / count))), NoiseLevel.Clean];
    }

    private double At(double position)
    {
        var below = (int)position;
        var share = position - below;
        return share == 0 ? _ratios[below] : Math.Exp((Math.Log(_ratios[below]) * (1 - share)) + (Math.Log(_ratios[below + 1]) * share));
    }
}
