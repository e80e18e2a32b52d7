using System.Numerics;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Moments of the rows of a tensor. Each sum is taken by one thread in the order of the images: the same bits whatever the number of threads.</summary>
internal static class Deviations
{
    // Larger sets are taken in pieces, so that no copy of a whole one is made.
    private const int MaxRows = 1024;
    private const int BlockRows = 4;

    // Fewer products are done by the thread that asks.
    private const long MinParallel = 1 << 20;

    /// <summary>The moments.</summary>
    /// <param name="features">[N, D] on any device, N and D at least 1.</param>
    /// <param name="what">What they are, for messages.</param>
    /// <exception cref="ArgumentException">The features have no such shape, no floating type, or are not all finite.</exception>
    public static FeatureMoments Of(Tensor features, string what)
    {
        Check(features, what);
        FeatureMoments? all = null;
        for (long start = 0; start < features.shape[0]; start += MaxRows)
        {
            var rows = (int)Math.Min(MaxRows, features.shape[0] - start);
            var piece = OfRows(Values(features, start, rows, what), rows, (int)features.shape[1]);
            all = all?.With(piece) ?? piece;
        }

        return all!;
    }

    private static void Check(Tensor features, string what)
    {
        if (features.dim() != 2 || features.shape.Any(size => size < 1) || features.shape[1] > FeatureStatistics.MaxFeatures)
        {
            throw new ArgumentException($"{what} have the shape [{string.Join(", ", features.shape)}]; [images, features] is needed, at least 1 of each, and at most {FeatureStatistics.MaxFeatures} features.", nameof(features));
        }

        if (!features.is_floating_point())
        {
            throw new ArgumentException($"{what} are {features.dtype}; a floating type is needed.", nameof(features));
        }
    }

    private static double[] Values(Tensor features, long start, int rows, string what)
    {
        using var scope = NewDisposeScope();
        var values = MemoryMarshal.Cast<byte, double>(features.detach().narrow(0, start, rows).to(ScalarType.Float64).cpu().contiguous().bytes).ToArray();
        for (var i = 0; i < values.Length; i++)
        {
            if (!double.IsFinite(values[i]))
            {
                var (image, feature) = Math.DivRem(i, features.shape[1]);
                throw new ArgumentException(FormattableString.Invariant($"{what} are not all finite: feature {feature} of image {start + image} is {values[i]}."), nameof(features));
            }
        }

        return values;
    }

    private static FeatureMoments OfRows(double[] values, int rows, int d)
    {
        var mean = new double[d];
        for (var r = 0; r < rows; r++)
        {
            Rows.AddScaled(1, values.AsSpan(r * d, d), mean);
        }

        for (var j = 0; j < d; j++)
        {
            mean[j] /= rows;
        }

        // Rows as wide as whole vectors, so that there is no rest.
        var width = (d + 15) / 16 * 16;
        var deviations = new double[rows * width];
        for (var r = 0; r < rows; r++)
        {
            for (var j = 0; j < d; j++)
            {
                deviations[(r * width) + j] = values[(r * d) + j] - mean[j];
            }
        }

        return new(rows, mean, Scatter(deviations, rows, d, width));
    }

    private static double[] Scatter(double[] deviations, int rows, int d, int width)
    {
        var scatter = new double[d * d];
        var threads = (long)rows * d * d < MinParallel ? 1 : get_num_threads();
        ParallelParts.Run(threads, (d + BlockRows - 1) / BlockRows, block => Block(deviations, rows, d, width, block * BlockRows, scatter));
        for (var i = 0; i < d; i++)
        {
            for (var j = 0; j < i; j++)
            {
                scatter[(i * d) + j] = scatter[(j * d) + i];
            }
        }

        return scatter;
    }

    /// <summary>Four rows of the upper triangle, some columns at a time.</summary>
    private static void Block(double[] deviations, int rows, int d, int width, int i, double[] scatter)
    {
        var lanes = Vector<double>.Count;
        Span<double> sums = stackalloc double[BlockRows * lanes];
        for (var j = i / lanes * lanes; j < d; j += lanes)
        {
            var (first, second, third, fourth) = (Vector<double>.Zero, Vector<double>.Zero, Vector<double>.Zero, Vector<double>.Zero);
            for (var at = 0; at < rows * width; at += width)
            {
                var columns = new Vector<double>(deviations, at + j);
                first += columns * deviations[at + i];
                second += columns * deviations[at + i + 1];
                third += columns * deviations[at + i + 2];
                fourth += columns * deviations[at + i + 3];
            }

            first.CopyTo(sums);
            second.CopyTo(sums[lanes..]);
            third.CopyTo(sums[(2 * lanes)..]);
            fourth.CopyTo(sums[(3 * lanes)..]);
            for (var row = i; row < Math.Min(i + BlockRows, d); row++)
            {
                for (var column = Math.Max(j, row); column < Math.Min(j + lanes, d); column++)
                {
                    scatter[(row * d) + column] = sums[((row - i) * lanes) + column - j];
                }
            }
        }
    }
}
