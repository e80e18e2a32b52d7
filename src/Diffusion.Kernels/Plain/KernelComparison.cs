using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Compares results of kernels with float64 ones.</summary>
internal static class KernelComparison
{
    /// <summary>A single wrong element counts as soon as it is this many times the tolerance, in units of the root mean square.</summary>
    private const double PeakAllowance = 10;

    /// <summary>The largest error that is rounding. Right kernels stay below a third of it over the whole grid (docs/decisions/0003).</summary>
    public static double Tolerance(ScalarType type) => type switch
    {
        ScalarType.Float64 => 1e-12,
        ScalarType.Float32 => 2e-5,
        _ => 2e-2,
    };

    /// <summary>The larger of ‖y − r‖/‖r‖ and max|y − r|/rms(r)/10: the first sees a small error everywhere, the second one wrong pixel.</summary>
    /// <param name="actual">What the kernel computed.</param>
    /// <param name="reference">What is right, float64.</param>
    /// <param name="typical">
    /// What rms(r) is expected to be; taken in its place where it is larger. Sums of random numbers with few elements, as the gradient of
    /// one bias, come out near zero by chance, and rounding relative to that says nothing.
    /// </param>
    public static double Error(Tensor actual, Tensor reference, double typical = 0)
    {
        if (!actual.shape.AsSpan().SequenceEqual(reference.shape))
        {
            return double.NaN;
        }

        using var scope = NewDisposeScope();
        using var gradients = no_grad();
        var difference = actual.to(ScalarType.Float64) - reference;
        var scale = Math.Max(reference.norm().item<double>(), typical * Math.Sqrt(reference.numel()));
        var relative = difference.norm().item<double>() / scale;
        var peak = difference.abs().max().item<double>() * Math.Sqrt(reference.numel()) / scale;
        return Math.Max(relative, peak / PeakAllowance); // NaN wins
    }
}
