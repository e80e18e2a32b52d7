namespace Diffusion.Imaging;

/// <summary>Resizes one channel of floats, down the columns and then along the rows, always in the same order of operations.</summary>
internal static class PlaneResampler
{
    /// <summary>Resizes what the weights read, and clamps it to a range.</summary>
    /// <param name="plane">[H, W].</param>
    /// <param name="width">W.</param>
    /// <param name="rows">The weights of H' rows over H.</param>
    /// <param name="columns">The weights of W' columns over W.</param>
    /// <param name="range">The range.</param>
    /// <param name="result">[H', W'].</param>
    public static void Resize(ReadOnlySpan<float> plane, int width, FilterWeights rows, FilterWeights columns, (float Min, float Max) range, Span<float> result)
    {
        var strip = new float[columns.End - columns.Start];
        for (var y = 0; y < rows.Count; y++)
        {
            Array.Clear(strip);
            var weights = rows[y];
            for (var j = 0; j < weights.Length; j++)
            {
                var row = plane.Slice(((rows.First(y) + j) * width) + columns.Start, strip.Length);
                for (var x = 0; x < strip.Length; x++)
                {
                    strip[x] += weights[j] * row[x];
                }
            }

            for (var x = 0; x < columns.Count; x++)
            {
                result[(y * columns.Count) + x] = Math.Clamp(Sum(strip.AsSpan(columns.First(x) - columns.Start), columns[x]), range.Min, range.Max);
            }
        }
    }

    private static float Sum(ReadOnlySpan<float> values, ReadOnlySpan<float> weights)
    {
        var sum = 0f;
        for (var i = 0; i < weights.Length; i++)
        {
            sum += values[i] * weights[i];
        }

        return sum;
    }
}
