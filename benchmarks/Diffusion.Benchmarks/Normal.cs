namespace Diffusion.Benchmarks;

/// <summary>The standard normal distribution.</summary>
internal static class Normal
{
    private const int Terms = 200;

    /// <summary>Φ(x), by the series of the error function near 0 and a continued fraction further out.</summary>
    /// <remarks>Abramowitz and Stegun, Handbook of Mathematical Functions, 26.2.11 and 26.2.14.</remarks>
    public static double Distribution(double x)
    {
        var density = Math.Exp(-x * x / 2) / Math.Sqrt(2 * Math.PI);
        if (Math.Abs(x) > 3)
        {
            var fraction = 0.0;
            for (var k = 60; k > 0; k--)
            {
                fraction = k / (Math.Abs(x) + fraction);
            }

            var tail = density / (Math.Abs(x) + fraction);
            return x > 0 ? 1 - tail : tail;
        }

        var (term, sum) = (x, x);
        for (var k = 1; k < Terms; k++)
        {
            term *= x * x / ((2 * k) + 1);
            sum += term;
        }

        return 0.5 + (density * sum);
    }

    /// <summary>Φ⁻¹, by bisection.</summary>
    public static double Quantile(double share)
    {
        var (low, high) = (-9.0, 9.0);
        for (var i = 0; i < 60; i++)
        {
            var middle = (low + high) / 2;
            (low, high) = Distribution(middle) < share ? (middle, high) : (low, middle);
        }

        return (low + high) / 2;
    }
}
