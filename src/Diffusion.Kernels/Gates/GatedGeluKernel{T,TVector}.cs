using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="GatedGeluKernel"/> in a format.</summary>
/// <typeparam name="T">What the results are rounded to.</typeparam>
/// <typeparam name="TVector">The vectors.</typeparam>
internal sealed unsafe class GatedGeluKernel<T, TVector> : GatedGeluKernel
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    private const int ValuesOfPiece = 1 << 14;

    /// <inheritdoc/>
    public override Tensor Forward(Tensor halves)
    {
        using var pointers = TensorMemory.Use();
        var shape = halves.shape;
        shape[^1] /= 2;
        var gated = empty(shape, dtype: halves.dtype);
        if (halves.dtype == ScalarType.BFloat16)
        {
            Run<ushort>(halves, direction: null, gated);
        }
        else
        {
            Run<float>(halves, direction: null, gated);
        }

        return gated;
    }

    /// <inheritdoc/>
    public override Tensor Gradient(Tensor halves, Tensor direction)
    {
        using var pointers = TensorMemory.Use();
        var gradient = empty(halves.shape, dtype: halves.dtype);
        if (halves.dtype == ScalarType.BFloat16)
        {
            Run<ushort>(halves, direction, gradient);
        }
        else
        {
            Run<float>(halves, direction, gradient);
        }

        return gradient;
    }

    private static void Run<TValue>(Tensor halves, Tensor? direction, Tensor to)
        where TValue : unmanaged
    {
        var width = (int)halves.size(-1) / 2;
        var (rows, atOnce) = ((int)(halves.numel() / (2 * width)), Math.Max(1, ValuesOfPiece / width));
        var (from, along, written) = ((nint)TensorMemory.Of<TValue>(halves), direction is null ? 0 : (nint)TensorMemory.Of<TValue>(direction), (nint)TensorMemory.Of<TValue>(to));
        TileWork.Run((rows + atOnce - 1) / atOnce, 0, (piece, _) =>
        {
            for (var row = (long)piece * atOnce; row < Math.Min(rows, ((long)piece + 1) * atOnce); row++)
            {
                var values = (TValue*)from + (2 * row * width);
                if (along == 0)
                {
                    Gate(values, values + width, width, (TValue*)written + (row * width));
                }
                else
                {
                    Slopes(values, values + width, (TValue*)along + (row * width), width, (TValue*)written + (2 * row * width));
                }
            }
        });
    }

    [MethodImpl(Loop.Alone)]
    private static void Gate<TValue>(TValue* values, TValue* gates, int width, TValue* to)
        where TValue : unmanaged
    {
        for (var i = 0; i < width; i += TVector.Count)
        {
            var mask = TVector.First(width - i);
            var (gelu, _) = Gelu<T, TVector>.Of(TileValues<TVector>.Load(mask, gates + i));
            TileValues<TVector>.Store(mask, TileValues<TVector>.Load(mask, values + i) * gelu, to + i);
        }
    }

    [MethodImpl(Loop.Alone)]
    private static void Slopes<TValue>(TValue* values, TValue* gates, TValue* direction, int width, TValue* to)
        where TValue : unmanaged
    {
        for (var i = 0; i < width; i += TVector.Count)
        {
            var mask = TVector.First(width - i);
            var (gelu, slope) = Gelu<T, TVector>.Of(TileValues<TVector>.Load(mask, gates + i));
            var along = TileValues<TVector>.Load(mask, direction + i);
            TileValues<TVector>.Store(mask, along * gelu, to + i);
            TileValues<TVector>.Store(mask, along * TileValues<TVector>.Load(mask, values + i) * slope, to + width + i);
        }
    }
}
