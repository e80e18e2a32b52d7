namespace Diffusion.Imaging;

/// <summary>For every pixel of a resized row (or column): which pixels of the source it is the weighted mean of.</summary>
/// <remarks>
/// Cubic convolution with a = −½ (R. Keys, "Cubic convolution interpolation for digital image processing", 1981, Eq. 8). Where the
/// image is made smaller the kernel is widened by the factor, which makes it a low-pass filter of the new resolution.
/// </remarks>
internal sealed class FilterWeights
{
    private const double Radius = 2;
    private readonly int[] _first;
    private readonly float[][] _weights;

    private FilterWeights(int[] first, float[][] weights) => (_first, _weights) = (first, weights);

    /// <summary>The number of pixels of the result.</summary>
    public int Count => _first.Length;

    /// <summary>The first source pixel that any result reads.</summary>
    public int Start => _first[0];

    /// <summary>One past the last source pixel that any result reads.</summary>
    public int End => _first[^1] + _weights[^1].Length;

    /// <summary>The first source pixel of a result; it never decreases from one result to the next.</summary>
    public int First(int index) => _first[index];

    /// <summary>The weights of a result, from its first source pixel on; their sum is 1.</summary>
    public ReadOnlySpan<float> this[int index] => _weights[index];

    /// <summary>The largest number of results that read one source pixel.</summary>
    public int MaxAtOnce()
    {
        var (max, next) = (0, 0);
        for (var i = 0; i < Count; i++)
        {
            while (next < Count && _first[next] < _first[i] + _weights[i].Length)
            {
                next++;
            }

            max = Math.Max(max, next - i);
        }

        return max;
    }

    /// <summary>Maps the interval [from, to) of a source of <paramref name="size"/> pixels to <paramref name="count"/> pixels.</summary>
    public static FilterWeights Create(int size, double from, double to, int count)
    {
        var scale = (to - from) / count;
        var stretch = Math.Max(scale, 1);
        var (first, weights) = (new int[count], new float[count][]);
        for (var i = 0; i < count; i++)
        {
            var centre = from + ((i + 0.5) * scale);
            var start = Math.Max(0, (int)Math.Ceiling(centre - (Radius * stretch) - 0.5));
            var end = Math.Min(size, (int)Math.Floor(centre + (Radius * stretch) - 0.5) + 1);
            var raw = new double[end - start];
            for (var j = 0; j < raw.Length; j++)
            {
                raw[j] = Keys((start + j + 0.5 - centre) / stretch);
            }

            var sum = raw.Sum();
            (first[i], weights[i]) = (start, Array.ConvertAll(raw, value => (float)(value / sum)));
        }

        return new FilterWeights(first, weights);
    }

    private static double Keys(double x) => Math.Abs(x) switch
    {
        < 1 and var d => (((1.5 * d) - 2.5) * d * d) + 1,
        < Radius and var d => (((((-0.5 * d) + 2.5) * d) - 4) * d) + 2,
        _ => 0,
    };
}
