using System.Runtime.InteropServices;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>The features of a set of images, a row each, checked; read as float64 whatever their type. Owns its memory or shares that of the tensor it comes from.</summary>
internal sealed class FeatureRows : IDisposable
{
    private const int MaxCheckedNumbers = 1 << 20; // 8 MB
    private const int MaxCheckedRows = 64;
    private readonly Tensor _values; // [N, D], uint8, float32 or float64, contiguous, on the CPU

    private FeatureRows(Tensor values, string name)
    {
        (_values, Name) = (values, name);
        (Count, Size) = (checked((int)values.shape[0]), checked((int)values.shape[1]));
    }

    /// <summary>The name of the argument that they came with.</summary>
    public string Name { get; }

    /// <summary>The number of images.</summary>
    public int Count { get; }

    /// <summary>The number of features of an image.</summary>
    public int Size { get; }

    /// <summary>Whether they are whole numbers from 0 to 255.</summary>
    public bool IsEightBit => _values.dtype == ScalarType.Byte;

    /// <summary>Checks features.</summary>
    /// <param name="features">[N, D], real numbers.</param>
    /// <param name="name">The name of the argument.</param>
    /// <param name="min">How many images are needed.</param>
    /// <exception cref="ArgumentException">They have another shape, are too few, complex or not finite.</exception>
    public static FeatureRows From(Tensor features, string name, int min = 1)
    {
        ArgumentNullException.ThrowIfNull(features, name);
        if (features.dim() != 2 || features.shape[1] < 1)
        {
            throw new ArgumentException($"'{name}' must hold the features of images, [N, D] with D ≥ 1; it has the shape [{string.Join(", ", features.shape)}].", name);
        }

        if (features.is_complex())
        {
            throw new ArgumentException($"'{name}' must be real; it is {features.dtype}.", name);
        }

        if (features.shape[0] < min)
        {
            throw new ArgumentException($"'{name}' must hold at least {min} image(s); it holds {features.shape[0]}.", name);
        }

        var rows = new FeatureRows(Plain(features), name);
        try
        {
            rows.CheckFinite();
            return rows;
        }
        catch
        {
            rows.Dispose();
            throw;
        }
    }

    /// <summary>Checks that two sets have equally many features.</summary>
    /// <exception cref="ArgumentException">They do not.</exception>
    public static void CheckSize(FeatureRows images, FeatureRows reference)
    {
        if (images.Size != reference.Size)
        {
            throw new ArgumentException($"'{images.Name}' has {images.Size} features an image and '{reference.Name}' {reference.Size}; they must come from the same network.", images.Name);
        }
    }

    /// <summary>Some of the images.</summary>
    /// <param name="indices">Which, in their order.</param>
    public FeatureRows Take(ReadOnlySpan<int> indices)
    {
        using var index = tensor(indices.ToArray(), dtype: ScalarType.Int64);
        return new FeatureRows(_values.index_select(0, index).DetachFromDisposeScope(), Name);
    }

    /// <summary>Copies rows, [count, D].</summary>
    public void Copy(int first, int count, Span<double> destination)
    {
        using var part = _values.narrow(0, first, count);
        CopyBytes(part.bytes, destination);
    }

    /// <summary>Copies some features of a row: as many as there is room for.</summary>
    public void CopyPart(int row, int feature, Span<double> destination)
    {
        using var whole = _values.narrow(0, row, 1);
        var size = (int)whole.ElementSize;
        CopyBytes(whole.bytes.Slice(feature * size, destination.Length * size), destination);
    }

    /// <summary>‖x‖² of each row.</summary>
    public double[] SquaredNorms()
    {
        var (norms, values) = (new double[Count], new double[Size]);
        for (var row = 0; row < Count; row++)
        {
            Copy(row, 1, values);
            norms[row] = values.Sum(value => value * value);
        }

        return norms;
    }

    /// <inheritdoc/>
    public void Dispose() => _values.Dispose();

    private static Tensor Plain(Tensor features)
    {
        using var scope = NewDisposeScope();
        var values = features.detach().cpu();
        var type = values.dtype is ScalarType.Byte or ScalarType.Float32 ? values.dtype : ScalarType.Float64;
        return values.to(type).contiguous().DetachFromDisposeScope();
    }

    private void CopyBytes(ReadOnlySpan<byte> bytes, Span<double> destination)
    {
        if (_values.dtype == ScalarType.Float64)
        {
            MemoryMarshal.Cast<byte, double>(bytes).CopyTo(destination);
        }
        else if (_values.dtype == ScalarType.Float32)
        {
            Widen(MemoryMarshal.Cast<byte, float>(bytes), destination);
        }
        else
        {
            Widen(bytes, destination);
        }
    }

    private static void Widen<T>(ReadOnlySpan<T> values, Span<double> destination)
        where T : unmanaged, System.Numerics.INumber<T>
    {
        for (var i = 0; i < values.Length; i++)
        {
            destination[i] = double.CreateChecked(values[i]);
        }
    }

    private void CheckFinite()
    {
        if (IsEightBit)
        {
            return;
        }

        var rows = Math.Clamp(MaxCheckedNumbers / Size, 1, MaxCheckedRows);
        var values = new double[rows * Size];
        for (var first = 0; first < Count; first += rows)
        {
            var count = Math.Min(rows, Count - first);
            Copy(first, count, values);
            for (var i = 0; i < count * Size; i++)
            {
                if (!double.IsFinite(values[i]))
                {
                    throw new ArgumentException(FormattableString.Invariant($"Feature {i % Size} of image {first + (i / Size)} of '{Name}' is {values[i]}; finite numbers are needed."), Name);
                }
            }
        }
    }
}
