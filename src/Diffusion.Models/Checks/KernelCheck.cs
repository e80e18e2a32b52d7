using Diffusion.Kernels;
using System.Diagnostics;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// Compares the kernels that this library relies on with float64, on this machine's CPU: libtorch 2.10's convolutions are silently wrong at
/// many channel counts, and which ones depends on the processor.
/// </summary>
public static class KernelCheck
{
    /// <summary>
    /// Checks the output and every gradient of convolutions, transposed convolutions, products of matrices, linear maps, group norm and
    /// softmax attention in float32 and bfloat16, after filling and freeing memory with NaN. It takes a few seconds and changes nothing:
    /// neither global random numbers nor gradient mode.
    /// </summary>
    /// <param name="plain">
    /// Whether libtorch's own convolutions are measured too, which doubles the time. They are reported, not judged. Its 1×1 kernels are left
    /// out: they can corrupt the memory of the process.
    /// </param>
    /// <param name="seed">What the random arguments are drawn from; the same seed draws the same ones.</param>
    /// <returns>What was found.</returns>
    public static KernelReport Run(bool plain = false, int seed = 0)
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

        return new(done, failures, clock.Elapsed, LibtorchVersion(), Processor.Level, plain ? new(plainDone, plainWrong) : null);
    }

    // TorchSharp's version string is libtorch's, with a fourth number of its own.
    private static string LibtorchVersion() => Version.TryParse(__version__, out var version) ? version.ToString(fieldCount: 3) : __version__;
}
