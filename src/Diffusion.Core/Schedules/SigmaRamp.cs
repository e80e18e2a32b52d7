namespace Diffusion;

/// <summary>Rows of σ, largest first, by formula: the ends are hit exactly.</summary>
/// <remarks>Karras: arXiv:2206.00364, Eq. 5.</remarks>
internal static class SigmaRamp
{
    public static double[] Karras(int count, double sigmaMin, double sigmaMax, double rho)
    {
        var (low, high) = (Math.Pow(Positive(sigmaMin, nameof(sigmaMin)), 1 / Positive(rho, nameof(rho))), Math.Pow(Above(sigmaMin, sigmaMax), 1 / rho));
        return Ramp(count, sigmaMin, sigmaMax, share => Math.Pow(high + (share * (low - high)), rho));
    }

    public static double[] PolyExponential(int count, double sigmaMin, double sigmaMax, double rho)
    {
        var (low, high) = (Math.Log(Positive(sigmaMin, nameof(sigmaMin))), Math.Log(Above(sigmaMin, sigmaMax)));
        Positive(rho, nameof(rho));
        return Ramp(count, sigmaMin, sigmaMax, share => Math.Exp(low + (Math.Pow(1 - share, rho) * (high - low))));
    }

    private static double[] Ramp(int count, double sigmaMin, double sigmaMax, Func<double, double> at)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return [.. Enumerable.Range(0, count).Select(i => i == 0 ? sigmaMax : i == count - 1 ? sigmaMin : at((double)i / (count - 1)))];
    }

    private static double Positive(double value, string name) => double.IsFinite(value) && value > 0
        ? value
        : throw new ArgumentOutOfRangeException(name, value, $"'{name}' must be a finite number above 0.");

    private static double Above(double sigmaMin, double sigmaMax) => double.IsFinite(sigmaMax) && sigmaMax > sigmaMin
        ? sigmaMax
        : throw new ArgumentOutOfRangeException(nameof(sigmaMax), sigmaMax, FormattableString.Invariant($"The largest sigma must be finite and above the smallest, {sigmaMin:R}."));
}
