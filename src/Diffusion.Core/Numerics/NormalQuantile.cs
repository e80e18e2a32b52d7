namespace Diffusion;

/// <summary>The quantile function of the standard normal distribution.</summary>
/// <remarks>
/// The asymptotic value √(−2·ln p) of the tail, improved by Newton's method on ln Φ, which converges from every start below the root since ln Φ is concave.
/// Φ by the continued fraction and the series of the error function (Abramowitz and Stegun, 26.2.10 and 26.2.14).
/// </remarks>
internal static class NormalQuantile
{
    private const double SeriesBelow = 3;
    private const int Terms = 200;

    /// <summary>The x with Φ(x) = p, for p in (0, 1).</summary>
    public static double At(double p)
    {
        if (!(p > 0 && p < 1))
        {
            throw new ArgumentOutOfRangeException(nameof(p), p, "A quantile needs a probability in (0, 1).");
        }

        if (p > 0.5)
        {
            return -At(1 - p);
        }

        var x = -Math.Sqrt(-2 * Math.Log(2 * p)); // below the root or at it: Φ(x) ≤ e^(−x²/2)/2
        for (var i = 0; i < Terms; i++)
        {
            var tail = Lower(x);
            var step = Math.Log(tail / p) * tail / Density(x);
            x -= step;
            if (Math.Abs(step) <= 1e-15 * (1 + Math.Abs(x)))
            {
                break;
            }
        }

        return x;
    }

    /// <summary>Φ(x) for x ≤ 0.</summary>
    private static double Lower(double x)
    {
        var z = -x;
        if (z < SeriesBelow)
        {
            var (term, sum) = (z, z);
            for (var k = 1; k < Terms && term > 1e-18 * sum; k++)
            {
                term *= z * z / ((2 * k) + 1);
                sum += term;
            }

            return 0.5 - (Density(x) * sum);
        }

        var fraction = z;
        for (var k = Terms; k >= 1; k--)
        {
            fraction = z + (k / fraction);
        }

        return Density(x) / fraction;
    }

    private static double Density(double x) => Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
}
