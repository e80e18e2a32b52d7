using System.Globalization;
using Diffusion.Kernels;

namespace Diffusion.Models;

/// <summary>One result of a kernel that differs from the float64 result by more than rounding explains.</summary>
/// <param name="Configuration">The operation, its shapes, memory layout and type, in words.</param>
/// <param name="Quantity">Which result is wrong: the output or a gradient.</param>
/// <param name="Error">
/// The larger of ‖y − r‖/‖r‖ and 1/10 of max|y − r|/rms(r), r being the float64 result; NaN where the result holds NaN.
/// </param>
/// <param name="Tolerance">What the error may be at most in the type of the configuration.</param>
internal sealed record KernelFailure(string Configuration, string Quantity, double Error, double Tolerance)
{
    /// <summary>The failures among results; nothing where every one is right.</summary>
    public static IEnumerable<KernelFailure> Among(string configuration, TorchSharp.torch.ScalarType type, IEnumerable<(string Quantity, double Error)> errors)
    {
        var tolerance = KernelComparison.Tolerance(type);
        return from result in errors
               where !(result.Error <= tolerance)
               select new KernelFailure(configuration, result.Quantity, result.Error, tolerance);
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Configuration}: {Quantity} is off by {Error:0.0e+0}, allowed {Tolerance:0.0e+0}");
}
