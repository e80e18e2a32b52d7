using System.Globalization;

namespace Diffusion.Models;

/// <summary>What a check of the numerical kernels found.</summary>
public sealed class KernelReport
{
    private const int FailuresShown = 3;

    internal KernelReport(int count, IReadOnlyList<KernelFailure> failures, TimeSpan elapsed, string libtorchVersion, ProcessorLevel level, PlainConvolutions? plain) =>
        (Checked, Failures, Elapsed, LibtorchVersion, Level, Plain) = (count, failures, elapsed, libtorchVersion, level, plain);

    /// <summary>The number of configurations compared with float64, at least 1.</summary>
    public int Checked { get; }

    /// <summary>How long the check took.</summary>
    public TimeSpan Elapsed { get; }

    /// <summary>The version of libtorch that was checked, for example "2.10.0".</summary>
    public string LibtorchVersion { get; }

    /// <summary>What of the processor this library's kernels used.</summary>
    public ProcessorLevel Level { get; }

    /// <summary>What was wrong; empty where everything was right. A configuration may fail in several quantities.</summary>
    internal IReadOnlyList<KernelFailure> Failures { get; }

    /// <summary>How libtorch's own convolutions fared, which does not count in <see cref="Sound"/>; <see langword="null"/> where that was not asked for.</summary>
    internal PlainConvolutions? Plain { get; }

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
