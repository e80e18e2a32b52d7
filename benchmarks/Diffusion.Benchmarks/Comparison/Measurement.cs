namespace Diffusion.Benchmarks;

/// <summary>What was measured for a goal.</summary>
/// <param name="Values">Ratios or shares, one a round.</param>
/// <param name="Eager">What the baseline took: seconds, or bytes of memory; <see langword="null"/> where there is none.</param>
/// <param name="Ours">What this library took, in the same unit.</param>
internal sealed record Measurement(Samples Values, Samples? Eager, Samples Ours)
{
    /// <summary>From rounds of two contenders.</summary>
    public static Measurement Of(IReadOnlyList<double> ours, IReadOnlyList<double> eager) => new(Samples.Ratios(ours, eager), new Samples(eager), new Samples(ours));
}
