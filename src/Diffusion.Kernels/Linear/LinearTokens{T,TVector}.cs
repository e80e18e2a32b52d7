using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary><see cref="LinearTokens"/> in a format.</summary>
/// <typeparam name="T">What products are computed in.</typeparam>
/// <typeparam name="TVector">The vectors.</typeparam>
internal sealed unsafe class LinearTokens<T, TVector> : LinearTokens
    where T : ITileFormat
    where TVector : unmanaged, IVector<TVector>
{
    /// <inheritdoc/>
    public override Tensor Map(Tensor tokens, Tensor weight, Tensor? bias)
    {
        using var pointers = TensorMemory.Use();
        using var scope = NewDisposeScope();
        return Mapped(Readable(tokens), Panels(weight), bias, (int)weight.size(0)).MoveToOuterDisposeScope();
    }

    /// <summary>A weight [O, C] as <see cref="TilePanels"/>: of the run or of the current dispose scope.</summary>
    public static Tensor Panels(Tensor weight) => T.PerWord > 1
        ? PreparedWeights.Get(weight, "panels bfloat16", static weight => Transposed(weight.to(ScalarType.BFloat16)))
        : PreparedWeights.Get(weight, "panels float32", Transposed);

    /// <inheritdoc/>
    public override Tensor ToInput(Tensor direction, Tensor weight)
    {
        using var pointers = TensorMemory.Use();
        using var scope = NewDisposeScope();
        var (panels, depth, columns) = (empty_like(weight), (int)weight.size(0), (int)weight.size(1));
        TilePanels.Pack<T, TVector>(TensorMemory.Of<float>(weight), columns, depth, TensorMemory.Of<uint>(panels));
        return Mapped(direction, panels, null, columns).MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor ToWeight(Tensor tokens, Tensor direction)
    {
        using var pointers = TensorMemory.Use();
        using var scope = NewDisposeScope();
        var (readable, inFeatures, outFeatures) = (Readable(tokens), (int)tokens.size(-1), (int)direction.size(-1));
        if (!readable.is_contiguous())
        {
            var turned = empty([inFeatures, outFeatures], dtype: ScalarType.Float32);
            LinearKernel<T, TVector>.Correlate(Rows(readable), Rows(direction, byImage: true), inFeatures, outFeatures, TensorMemory.Of<float>(turned));
            return turned.t().contiguous().MoveToOuterDisposeScope();
        }

        var sums = empty([outFeatures, inFeatures], dtype: ScalarType.Float32);
        LinearKernel<T, TVector>.Correlate(Rows(direction), Rows(readable), outFeatures, inFeatures, TensorMemory.Of<float>(sums));
        return sums.MoveToOuterDisposeScope();
    }

    /// <inheritdoc/>
    public override Tensor ToBias(Tensor direction)
    {
        using var pointers = TensorMemory.Use();
        var (columns, sums) = ((int)direction.size(-1), empty(direction.size(-1), dtype: ScalarType.Float32));
        if (IsNarrow(direction))
        {
            TileSums<TVector>.OfColumns(TensorMemory.Of<ushort>(direction), direction.numel() / columns, columns, TensorMemory.Of<float>(sums));
        }
        else
        {
            TileSums<TVector>.OfColumns(TensorMemory.Of<float>(direction), direction.numel() / columns, columns, TensorMemory.Of<float>(sums));
        }

        return sums;
    }

    /// <summary>Tokens as the kernel reads them: row after row, or, in float32, as the channels of images.</summary>
    private static Tensor Readable(Tensor tokens) =>
        tokens.is_contiguous() ? tokens
        : !IsPerImage(tokens) ? tokens.contiguous()
        : IsNarrow(tokens) ? TransposeKernel.Current.Transposed(tokens.transpose(1, 2))
        : tokens.size(1) >= TilePanels.Rows ? tokens : tokens.contiguous();

    private static Tensor Transposed(Tensor weight)
    {
        using var pointers = TensorMemory.Use();
        var panels = empty_like(weight);
        TilePanels.PackTransposed<TVector>(TensorMemory.Of<uint>(weight), (int)weight.size(0), (int)weight.size(1) / (IsNarrow(weight) ? 2 : 1), TensorMemory.Of<uint>(panels));
        return panels;
    }

    private static Tensor Mapped(Tensor tokens, Tensor panels, Tensor? bias, int columns)
    {
        var shape = tokens.shape;
        var features = (int)shape[^1];
        shape[^1] = columns;
        var output = empty(shape, dtype: tokens.dtype);
        var start = bias is null ? null : TensorMemory.Of<float>(bias);
        LinearKernel<T, TVector>.Map(Rows(tokens), TensorMemory.Of<uint>(panels), start, TensorMemory.Of<byte>(output), features, columns);
        return output;
    }

    private static bool IsNarrow(Tensor tensor) => tensor.dtype == ScalarType.BFloat16;

    private static bool IsPerImage(Tensor tokens) => tokens.dim() == 3 && tokens.stride() is var strides && strides[1] == 1 && strides[2] == tokens.size(1) && strides[0] == tokens.size(1) * tokens.size(2);

    private static TokenRows Rows(Tensor tokens, bool byImage = false)
    {
        var (shape, features, narrow) = (tokens.shape, (int)tokens.size(-1), IsNarrow(tokens));
        return !tokens.is_contiguous() ? new((nint)TensorMemory.Of<byte>(tokens.transpose(1, 2)), narrow, (int)shape[0], (int)shape[1], shape[1] * features, 1, (int)shape[1])
            : byImage ? new((nint)TensorMemory.Of<byte>(tokens), narrow, (int)shape[0], (int)shape[1], shape[1] * features, features, 1)
            : new((nint)TensorMemory.Of<byte>(tokens), narrow, 1, (int)(tokens.numel() / shape[^1]), 0, features, 1);
    }
}
