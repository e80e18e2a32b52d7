namespace Diffusion.Evaluation;

/// <summary>
/// Turns, scales, moves and bends an image at random, all a little, with linear interpolation. What lies beyond the edge is as the edge. A function of the image and the random numbers, computed without threads.
/// </summary>
/// <remarks>Elastic distortions of digits: Simard, Steinkraus, Platt: Best Practices for Convolutional Neural Networks, ICDAR 2003; here a coarse grid of moves with cubic interpolation between them in place of a smoothed fine one.</remarks>
internal static class ElasticDistortion
{
    private const double MaxTurn = 12 * Math.PI / 180;
    private const double MaxScale = 0.1;
    private const double MaxShear = 0.1;
    private const double MaxMove = 2.5; // pixels, at a strength of 1
    private const double MaxBend = 1.6;
    private const int Knots = 6; // of the grid of moves, each way

    /// <summary>Distorts an image.</summary>
    /// <param name="image">[height, width].</param>
    /// <param name="height">In pixels.</param>
    /// <param name="width">In pixels.</param>
    /// <param name="strength">1 for the moves above.</param>
    /// <param name="random">Of this image.</param>
    /// <param name="result">[height, width].</param>
    public static void Apply(ReadOnlySpan<float> image, int height, int width, double strength, SeededRandom random, Span<float> result)
    {
        var (turn, scale, shear) = (strength * MaxTurn * Sign(random), strength * MaxScale * Sign(random), strength * MaxShear * Sign(random));
        var (scaleX, scaleY) = (1 + scale + (strength * MaxScale * 0.5 * Sign(random)), 1 + scale);
        var (moveX, moveY) = (strength * MaxMove * Sign(random), strength * MaxMove * Sign(random));
        var (bendX, bendY) = (Bends(height, width, strength, random), Bends(height, width, strength, random));
        var (sin, cos) = Math.SinCos(turn);
        var (middleX, middleY) = ((width - 1) / 2.0, (height - 1) / 2.0);
        for (var y = 0; y < height; y++)
        {
            for (var x = 0; x < width; x++)
            {
                var (dx, dy, at) = ((x - middleX) * scaleX, (y - middleY) * scaleY, (y * width) + x);
                dx += shear * dy;
                result[at] = Value(image, height, width, middleX + (cos * dx) - (sin * dy) + moveX + bendX[at], middleY + (sin * dx) + (cos * dy) + moveY + bendY[at]);
            }
        }
    }

    /// <summary>In [−1, 1).</summary>
    private static double Sign(SeededRandom random) => (2 * random.NextDouble()) - 1;

    /// <summary>Moves between which a cubic B-spline is laid, [height, width].</summary>
    private static double[] Bends(int height, int width, double strength, SeededRandom random)
    {
        var moves = new double[Knots * Knots];
        for (var i = 0; i < moves.Length; i++)
        {
            moves[i] = strength * MaxBend * Sign(random);
        }

        var rows = new double[Knots * width];
        for (var x = 0; x < width; x++)
        {
            var (first, weights) = Spline(x, width);
            for (var row = 0; row < Knots; row++)
            {
                rows[(row * width) + x] = Sum(moves.AsSpan((row * Knots) + first), 1, weights);
            }
        }

        var bends = new double[height * width];
        for (var y = 0; y < height; y++)
        {
            var (first, weights) = Spline(y, height);
            for (var x = 0; x < width; x++)
            {
                bends[(y * width) + x] = Sum(rows.AsSpan((first * width) + x), width, weights);
            }
        }

        return bends;
    }

    private static double Sum(ReadOnlySpan<double> values, int stride, (double A, double B, double C, double D) weights) =>
        (values[0] * weights.A) + (values[stride] * weights.B) + (values[2 * stride] * weights.C) + (values[3 * stride] * weights.D);

    /// <summary>The first of the four knots around a pixel, and their weights.</summary>
    private static (int First, (double A, double B, double C, double D) Weights) Spline(int pixel, int length)
    {
        var place = length == 1 ? 0 : (double)pixel * (Knots - 3) / (length - 1);
        var first = Math.Min((int)place, Knots - 4);
        var t = place - first;
        var s = 1 - t;
        return (first, (s * s * s / 6, ((3 * t * t * t) - (6 * t * t) + 4) / 6, ((3 * s * s * s) - (6 * s * s) + 4) / 6, t * t * t / 6));
    }

    private static float Value(ReadOnlySpan<float> image, int height, int width, double x, double y)
    {
        (x, y) = (Math.Clamp(x, 0, width - 1), Math.Clamp(y, 0, height - 1));
        var (left, top) = ((int)x, (int)y);
        var (right, bottom) = (Math.Min(left + 1, width - 1), Math.Min(top + 1, height - 1));
        var (shareX, shareY) = ((float)(x - left), (float)(y - top));
        var above = image[(top * width) + left] + ((image[(top * width) + right] - image[(top * width) + left]) * shareX);
        var below = image[(bottom * width) + left] + ((image[(bottom * width) + right] - image[(bottom * width) + left]) * shareX);
        return above + ((below - above) * shareY);
    }
}
