using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="TransposeKernel"/> with vectors of a width.</summary>
/// <typeparam name="T">Of no use here: nothing is multiplied.</typeparam>
/// <typeparam name="TVector">The vectors.</typeparam>
internal sealed unsafe class TransposeKernel<T, TVector> : TransposeKernel
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    private const int ColumnsOfPiece = 128;

    /// <inheritdoc/>
    public override Tensor Transposed(Tensor values)
    {
        using var pointers = TensorMemory.Use();
        var (images, rows, columns) = ((int)values.size(0), (int)values.size(1), (int)values.size(2));
        var turned = empty([images, columns, rows], dtype: values.dtype);
        if (values.dtype == ScalarType.BFloat16)
        {
            Turn(TensorMemory.Of<ushort>(values), TensorMemory.Of<ushort>(turned), images, rows, columns);
        }
        else
        {
            Turn(TensorMemory.Of<float>(values), TensorMemory.Of<float>(turned), images, rows, columns);
        }

        return turned;
    }

    private static void Turn<TValue>(TValue* from, TValue* to, int images, int rows, int columns)
        where TValue : unmanaged
    {
        var parts = (columns + ColumnsOfPiece - 1) / ColumnsOfPiece;
        TileWork.Run(images * parts, 0, (piece, _) =>
        {
            var (start, first) = ((long)(piece / parts) * rows * columns, piece % parts * ColumnsOfPiece);
            Transposition<TVector>.Copy(from + start + first, columns, rows, Math.Min(ColumnsOfPiece, columns - first), to + start + ((long)first * rows), rows);
        });
    }
}
