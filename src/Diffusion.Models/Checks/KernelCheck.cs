using System.Diagnostics;
using System.Globalization;
using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Compares the kernels that this library relies on with float64, on this machine's CPU: libtorch 2.10's convolutions are silently wrong at
/// many channel counts, and which ones depends on the processor.
/// </summary>
public sealed class KernelCheck
{
    private const int FailuresShown = 3;

    internal KernelCheck(int count, IReadOnlyList<KernelFailure> failures, TimeSpan elapsed, string libtorchVersion, ProcessorLevel level, PlainConvolutions? plain) =>
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

    /// <summary>
    /// Checks the output, of convolutions with and without gradients, and every gradient of convolutions, transposed convolutions, products of matrices, linear maps, group norm and
    /// softmax attention in float32 and bfloat16, after filling and freeing memory with NaN. It takes a few seconds and changes nothing:
    /// neither global random numbers nor gradient mode.
    /// </summary>
    /// <param name="plain">
    /// Whether libtorch's own convolutions are measured too, which doubles the time. They are reported, not judged. Its 1×1 kernels are left
    /// out: they can corrupt the memory of the process.
    /// </param>
    /// <param name="seed">What the random arguments are drawn from; the same seed draws the same ones.</param>
    /// <returns>What was found.</returns>
    public static KernelCheck Run(bool plain = false, int seed = 0)
    {
        var clock = Stopwatch.StartNew();
        using var gradients = enable_grad();
        List<KernelFailure> failures = [];
        var (done, plainDone, plainWrong) = (0, 0, 0);
        foreach (var convolution in QuickConvolutions.All)
        {
            failures.AddRange(convolution.Failures(seed + done));
            if (plain && convolution.PlainIsSafe)
            {
                plainWrong += convolution.Failures(seed + done, plain: true).Count > 0 ? 1 : 0;
                plainDone++;
            }

            done++;
        }

        foreach (var operation in OperatorCases.All())
        {
            failures.AddRange(operation.Failures(seed + done));
            done++;
        }

        return new(done, failures, clock.Elapsed, VersionOfLibtorch(), Processor.Level, plain ? new(plainDone, plainWrong) : null);
    }

    /// <summary>What was found as one paragraph.</summary>
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

    // TorchSharp's version string is libtorch's, with a fourth number of its own.
    private static string VersionOfLibtorch() => Version.TryParse(__version__, out var version) ? version.ToString(fieldCount: 3) : __version__;
}
