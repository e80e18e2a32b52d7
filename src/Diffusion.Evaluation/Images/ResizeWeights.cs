namespace Diffusion.Evaluation;

/// <summary>How much of which pixels each pixel of a resized row is.</summary>
internal sealed class ResizeWeights
{
    // Pillow: 8 bits of a pixel, and 2 for sums that leave its range.
    private const int FixedBits = 32 - 8 - 2;

    private readonly (int First, double[] Weights)[] _pixels;

    private ResizeWeights((int First, double[] Weights)[] pixels) => _pixels = pixels;

    /// <summary>The first pixel and the weights of it and of those behind it, for each pixel of the result.</summary>
    public ReadOnlySpan<(int First, double[] Weights)> Pixels => _pixels;

    /// <summary>The weights for a row.</summary>
    /// <param name="from">Its pixels, at least 1.</param>
    /// <param name="to">The pixels wanted, at least 1.</param>
    /// <param name="method">How.</param>
    public static ResizeWeights Of(int from, int to, ImageResizing method) => new([.. Enumerable.Range(0, to).Select(i => method switch
    {
        ImageResizing.TorchBilinear => Linear(Math.Max(0, (((float)from / to) * (i + 0.5f)) - 0.5f), from), // in float32, as torch
        ImageResizing.TensorFlowBilinear => Linear((float)from / to * i, from),
        _ => Cubic(i, from, to),
    })]);

    /// <summary>The weights in fixed point with 22 bits behind the point, rounded away from 0.</summary>
    public (int First, int[] Weights)[] Fixed() =>
        [.. _pixels.Select(pixel => (pixel.First, pixel.Weights.Select(weight => (int)((weight * (1 << FixedBits)) + (weight < 0 ? -0.5 : 0.5))).ToArray()))];

    /// <summary>A sum of fixed point as a byte.</summary>
    public static byte Round(int sum) => (byte)Math.Clamp((sum + (1 << (FixedBits - 1))) >> FixedBits, 0, 255);

    private static (int First, double[] Weights) Linear(float position, int from)
    {
        var first = Math.Min((int)position, from - 1);
        double share = position - first;
        return first == from - 1 ? (first, [1]) : (first, [1 - share, share]);
    }

    /// <summary>Pillow's: where the image shrinks the kernel is as much wider, and what of it is outside is left out.</summary>
    private static (int First, double[] Weights) Cubic(int i, int from, int to)
    {
        var scale = (double)from / to;
        var width = Math.Max(scale, 1);
        var (centre, support) = ((i + 0.5) * scale, 2 * width);
        var first = Math.Max(0, (int)(centre - support + 0.5));
        var end = Math.Min(from, (int)(centre + support + 0.5));
        var weights = new double[end - first];
        var sum = 0.0;
        for (var x = 0; x < weights.Length; x++)
        {
            weights[x] = Kernel((x + first - centre + 0.5) * (1 / width));
            sum += weights[x];
        }

        for (var x = 0; x < weights.Length && sum != 0; x++)
        {
            weights[x] *= 1 / sum;
        }

        return (first, weights);
    }

    /// <summary>Keys, Cubic Convolution Interpolation for Digital Image Processing, 1981: a = −1/2.</summary>
    private static double Kernel(double x)
    {
        const double a = -0.5;
        x = Math.Abs(x);
        return x < 1 ? ((((a + 2) * x) - (a + 3)) * x * x) + 1
            : x < 2 ? (((((x - 5) * x) + 8) * x) - 4) * a
            : 0;
    }
}
