using System.Globalization;
using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Comparisons of tensors whose failure says how far off they are, and where.</summary>
public static class TensorAssert
{
    /// <summary>Fails unless |actual − expected| ≤ atol + rtol·|expected| everywhere. NaN equals NaN only, an infinity the same infinity only. Types may differ.</summary>
    /// <param name="expected">What should be.</param>
    /// <param name="actual">What is.</param>
    /// <param name="atol">The absolute tolerance.</param>
    /// <param name="rtol">The relative tolerance.</param>
    /// <param name="what">What is compared, for the message.</param>
    /// <exception cref="TensorMismatchException">They differ in shape or by more than the tolerance.</exception>
    public static void Close(Tensor expected, Tensor actual, double atol, double rtol, string what)
    {
        CheckShapes(expected, actual, what);
        var (e, a) = (Doubles(expected), Doubles(actual));
        var (count, worst, maxAbsolute, maxRelative, largest) = (0, 0, 0.0, 0.0, -1.0);
        for (var i = 0; i < e.Length; i++)
        {
            if (e[i].Equals(a[i]) || e[i] == a[i])
            {
                continue;
            }

            // NaN, and the distance to an infinity, count as infinitely far.
            var error = double.IsFinite(e[i]) && double.IsFinite(a[i]) ? Math.Abs(a[i] - e[i]) : double.PositiveInfinity;
            maxAbsolute = Math.Max(maxAbsolute, error);
            maxRelative = Math.Max(maxRelative, double.IsFinite(error) ? error / Math.Abs(e[i]) : error);
            if (double.IsFinite(error) && error <= atol + (rtol * Math.Abs(e[i])))
            {
                continue;
            }

            count++;
            if (error > largest)
            {
                (worst, largest) = (i, error);
            }
        }

        if (count > 0)
        {
            throw new TensorMismatchException(string.Create(
                CultureInfo.InvariantCulture,
                $"{what}: {count} of {e.Length} elements differ by more than atol {atol:g3} + rtol {rtol:g3}. "
                + $"Max abs error {maxAbsolute:g6}, max rel error {maxRelative:g6}; "
                + $"worst at {Position(worst, expected.shape)}: expected {e[worst]:g9}, actual {a[worst]:g9}."));
        }
    }

    /// <summary>Fails unless types, shapes and bits are equal.</summary>
    /// <param name="expected">What should be.</param>
    /// <param name="actual">What is.</param>
    /// <param name="what">What is compared, for the message.</param>
    /// <exception cref="TensorMismatchException">They differ.</exception>
    public static void Identical(Tensor expected, Tensor actual, string what)
    {
        if (expected.dtype != actual.dtype)
        {
            throw new TensorMismatchException($"{what}: expected type {expected.dtype}, actual {actual.dtype}.");
        }

        CheckShapes(expected, actual, what);
        var (e, a) = (Bytes(expected), Bytes(actual));
        var equal = e.AsSpan().CommonPrefixLength(a);
        if (equal < e.Length)
        {
            throw new TensorMismatchException($"{what}: bits differ, first at {Position(equal / expected.ElementSize, expected.shape)}.");
        }
    }

    /// <summary>Fails unless the names are the same and the tensors of each are <see cref="Identical(Tensor, Tensor, string)"/>.</summary>
    /// <param name="expected">What should be.</param>
    /// <param name="actual">What is.</param>
    /// <exception cref="TensorMismatchException">They differ.</exception>
    public static void Identical(IReadOnlyDictionary<string, Tensor> expected, IReadOnlyDictionary<string, Tensor> actual)
    {
        var missing = expected.Keys.Except(actual.Keys).Order(StringComparer.Ordinal).ToList();
        var unexpected = actual.Keys.Except(expected.Keys).Order(StringComparer.Ordinal).ToList();
        if (missing.Count + unexpected.Count > 0)
        {
            throw new TensorMismatchException($"Missing: [{string.Join(", ", missing)}]; unexpected: [{string.Join(", ", unexpected)}].");
        }

        foreach (var (name, tensor) in expected)
        {
            Identical(tensor, actual[name], name);
        }
    }

    private static void CheckShapes(Tensor expected, Tensor actual, string what)
    {
        if (!expected.shape.AsSpan().SequenceEqual(actual.shape))
        {
            throw new TensorMismatchException(
                $"{what}: expected shape [{string.Join(", ", expected.shape)}], actual [{string.Join(", ", actual.shape)}].");
        }
    }

    private static double[] Doubles(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return MemoryMarshal.Cast<byte, double>(tensor.detach().cpu().to(ScalarType.Float64).contiguous().bytes).ToArray();
    }

    private static byte[] Bytes(Tensor tensor)
    {
        using var scope = NewDisposeScope();
        return tensor.detach().cpu().contiguous().bytes.ToArray();
    }

    private static string Position(long index, long[] shape)
    {
        var position = new long[shape.Length];
        for (var i = shape.Length - 1; i >= 0; i--)
        {
            (index, position[i]) = Math.DivRem(index, shape[i]);
        }

        return $"[{string.Join(", ", position)}]";
    }
}
