using System.Globalization;

namespace Diffusion.Models;

/// <summary>What a check of the numerical kernels found.</summary>
/// <param name="Checked">The number of configurations compared with float64, at least 1.</param>
/// <param name="Failures">What was wrong; empty where everything was right. A configuration may fail in several quantities.</param>
/// <param name="Elapsed">How long the check took.</param>
/// <param name="LibtorchVersion">The version of libtorch that was checked, for example "2.10.0".</param>
/// <param name="Level">What of the processor this library's kernels used.</param>
/// <param name="Plain">
/// How libtorch's own convolutions fared; <see langword="null"/> where that was not asked for.
/// They do not count in <see cref="Sound"/>.
/// </param>
public sealed record KernelReport(
    int Checked, IReadOnlyList<KernelFailure> Failures, TimeSpan Elapsed, string LibtorchVersion, ProcessorLevel Level, PlainConvolutions? Plain)
{
    private const int FailuresShown = 3;

    /// <summary>Whether everything that was checked is right.</summary>
    public bool Sound => Failures.Count == 0;

    /// <summary>The report as one paragraph.</summary>
    /// <returns>The verdict, at most three of the failures, and what libtorch's own convolutions do, where that was asked for.</returns>
    public override string ToString()
    {
        var wrong = Failures.Select(failure => failure.Configuration).Distinct().Count();
        var verdict = Sound
            ? $"This library's kernels are right here: all {Checked} configurations agree with float64"
            : $"This library's kernels are WRONG here: {wrong} of {Checked} configurations differ from float64";
        var examples = string.Join("; ", Failures.Take(FailuresShown)) + (Failures.Count > FailuresShown ? "; …" : "");
        return string.Create(CultureInfo.InvariantCulture, $"{verdict} (level {Level.ToSetting()}, libtorch {LibtorchVersion}, {Elapsed.TotalSeconds:0.0} s).")
            + (Sound ? "" : $" {examples}.")
            + (Plain is null ? "" : $" {Plain}");
    }
}
