namespace Diffusion;

/// <summary>Integrals of the polynomials that are 1 at one of a few points and 0 at the others.</summary>
internal static class Lagrange
{
    /// <summary>∫ ∏_{k≠j} (τ − x_k)/(x_j − x_k) dτ, exactly: the polynomial is multiplied out about the lower bound.</summary>
    public static double Integral(ReadOnlySpan<double> points, int j, double from, double to)
    {
        var coefficients = About(points, j, from);
        var width = to - from;
        var integral = 0.0;
        for (var power = coefficients.Length - 1; power >= 0; power--)
        {
            integral = (integral + (coefficients[power] / (power + 1))) * width;
        }

        return integral;
    }

    /// <summary>∫ ∏_{k≠j} (τ − x_k)/(x_j − x_k)·e^τ dτ, exactly: with ∫ u^n·e^u du = u^n·e^u − n·∫ u^(n−1)·e^u du.</summary>
    public static double ExponentialIntegral(ReadOnlySpan<double> points, int j, double from, double to)
    {
        var coefficients = About(points, j, from);
        var width = to - from;
        var moment = StepMath.Expm1(width);
        var (edge, integral) = (Math.Exp(width), coefficients[0] * moment);
        for (var power = 1; power < coefficients.Length; power++)
        {
            edge *= width;
            moment = edge - (power * moment);
            integral += coefficients[power] * moment;
        }

        return Math.Exp(from) * integral;
    }

    /// <summary>The coefficients of the polynomial in u = τ − from, constant first.</summary>
    private static double[] About(ReadOnlySpan<double> points, int j, double from)
    {
        var coefficients = new double[points.Length];
        coefficients[0] = 1;
        var degree = 0;
        for (var k = 0; k < points.Length; k++)
        {
            if (k == j)
            {
                continue;
            }

            // times (u − (x_k − from))/(x_j − x_k)
            var root = points[k] - from;
            var scale = 1 / (points[j] - points[k]);
            degree++;
            for (var power = degree; power >= 0; power--)
            {
                coefficients[power] = scale * ((power > 0 ? coefficients[power - 1] : 0) - (root * coefficients[power]));
            }
        }

        return coefficients;
    }
}
