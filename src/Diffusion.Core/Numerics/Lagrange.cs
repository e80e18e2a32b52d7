namespace Diffusion;

/// <summary>Integrals of the polynomials that are 1 at one of a few points and 0 at the others.</summary>
internal static class Lagrange
{
    /// <summary>∫ ∏_{k≠j} (τ − x_k)/(x_j − x_k) dτ, exactly: the polynomial is multiplied out about the lower bound.</summary>
    public static double Integral(ReadOnlySpan<double> points, int j, double from, double to)
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

            // times (u − (x_k − from))/(x_j − x_k), u = τ − from
            var root = points[k] - from;
            var scale = 1 / (points[j] - points[k]);
            degree++;
            for (var power = degree; power >= 0; power--)
            {
                coefficients[power] = scale * ((power > 0 ? coefficients[power - 1] : 0) - (root * coefficients[power]));
            }
        }

        var width = to - from;
        var integral = 0.0;
        for (var power = degree; power >= 0; power--)
        {
            integral = (integral + (coefficients[power] / (power + 1))) * width;
        }

        return integral;
    }
}
