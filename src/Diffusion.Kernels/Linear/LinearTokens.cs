using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>The products of a linear map and of its gradients, as tensors without a graph: <see cref="LinearKernel{T}"/>. Tokens are float32 or bfloat16, weights float32.</summary>
internal static unsafe class LinearTokens
{
    /// <summary>tokens · weightᵀ + bias.</summary>
    /// <param name="tokens">[…, C].</param>
    /// <param name="weight">[O, C].</param>
    /// <param name="bias">[O], or <see langword="null"/>.</param>
    /// <returns>[…, O], in the type of the tokens.</returns>
    public static Tensor Map(Tensor tokens, Tensor weight, Tensor? bias)
    {
        using var pointers = TensorMemory.Use();
        using var scope = NewDisposeScope();
        return Mapped(Readable(tokens), Panels(weight, IsNarrow(tokens)), bias, (int)weight.size(0)).MoveToOuterDisposeScope();
    }

    /// <summary>A weight [O, C] as <see cref="TilePanels"/>: of the run or of the current dispose scope.</summary>
    public static Tensor Panels(Tensor weight, bool narrow) => narrow
        ? PreparedWeights.Get(weight, "panels bfloat16", static weight => Transposed(weight.to(ScalarType.BFloat16)))
        : PreparedWeights.Get(weight, "panels float32", Transposed);

    /// <summary>direction · weight: the gradient of the tokens.</summary>
    /// <param name="direction">[…, O], contiguous.</param>
    /// <param name="weight">[O, C].</param>
    /// <returns>[…, C], in the type of the direction.</returns>
    public static Tensor ToInput(Tensor direction, Tensor weight)
    {
        using var pointers = TensorMemory.Use();
        using var scope = NewDisposeScope();
        var (panels, depth, columns) = (empty_like(weight), (int)weight.size(0), (int)weight.size(1));
        if (IsNarrow(direction))
        {
            TilePanels.Pack<BFloat16Tile>(TensorMemory.Of<float>(weight), columns, depth, TensorMemory.Of<uint>(panels));
        }
        else
        {
            TilePanels.Pack<Float32Tile>(TensorMemory.Of<float>(weight), columns, depth, TensorMemory.Of<uint>(panels));
        }

        return Mapped(direction, panels, null, columns).MoveToOuterDisposeScope();
    }

    /// <summary>directionᵀ · tokens: the gradient of the weight.</summary>
    /// <param name="tokens">[…, C].</param>
    /// <param name="direction">[…, O], contiguous, in the type of the tokens.</param>
    /// <returns>[O, C], float32.</returns>
    public static Tensor ToWeight(Tensor tokens, Tensor direction)
    {
        using var pointers = TensorMemory.Use();
        using var scope = NewDisposeScope();
        var (readable, inFeatures, outFeatures) = (Readable(tokens), (int)tokens.size(-1), (int)direction.size(-1));
        if (!readable.is_contiguous())
        {
            var turned = empty([inFeatures, outFeatures], dtype: ScalarType.Float32);
            LinearKernel<Float32Tile>.Correlate(Rows(readable), Rows(direction, byImage: true), inFeatures, outFeatures, TensorMemory.Of<float>(turned));
            return turned.t().contiguous().MoveToOuterDisposeScope();
        }

        var sums = empty([outFeatures, inFeatures], dtype: ScalarType.Float32);
        if (IsNarrow(tokens))
        {
            LinearKernel<BFloat16Tile>.Correlate(Rows(direction), Rows(readable), outFeatures, inFeatures, TensorMemory.Of<float>(sums));
        }
        else
        {
            LinearKernel<Float32Tile>.Correlate(Rows(direction), Rows(readable), outFeatures, inFeatures, TensorMemory.Of<float>(sums));
        }

        return sums.MoveToOuterDisposeScope();
    }

    /// <summary>The sum of all directions: the gradient of the bias.</summary>
    /// <param name="direction">[…, O], contiguous.</param>
    /// <returns>[O], float32.</returns>
    public static Tensor ToBias(Tensor direction)
    {
        using var pointers = TensorMemory.Use();
        var (columns, sums) = ((int)direction.size(-1), empty(direction.size(-1), dtype: ScalarType.Float32));
        if (IsNarrow(direction))
        {
            TileSums.OfColumns(TensorMemory.Of<ushort>(direction), direction.numel() / columns, columns, TensorMemory.Of<float>(sums));
        }
        else
        {
            TileSums.OfColumns(TensorMemory.Of<float>(direction), direction.numel() / columns, columns, TensorMemory.Of<float>(sums));
        }

        return sums;
    }

    /// <summary>Tokens as the kernel reads them: row after row, or, in float32, as the channels of images.</summary>
    private static Tensor Readable(Tensor tokens) =>
        tokens.is_contiguous() ? tokens
        : !IsOfImages(tokens) ? tokens.contiguous()
        : IsNarrow(tokens) ? Turned(tokens)
        : tokens.size(1) >= LinearKernel<Float32Tile>.FewestRows ? tokens : tokens.contiguous();

    private static Tensor Turned(Tensor tokens)
    {
        var (images, rows, features) = ((int)tokens.size(0), (int)tokens.size(1), (int)tokens.size(2));
        var (from, dense) = ((nint)TensorMemory.Of<byte>(tokens.transpose(1, 2)), empty(tokens.shape, dtype: tokens.dtype));
        var to = (nint)TensorMemory.Of<byte>(dense);
        TileWork.Run(images, 0, (image, _) =>
            Transposition.Copy((ushort*)from + ((long)image * rows * features), rows, features, rows, (ushort*)to + ((long)image * rows * features), features));
        return dense;
    }

    private static Tensor Transposed(Tensor weight)
    {
        using var pointers = TensorMemory.Use();
        var panels = empty_like(weight);
        TilePanels.PackTransposed(TensorMemory.Of<uint>(weight), (int)weight.size(0), (int)weight.size(1) / (IsNarrow(weight) ? 2 : 1), TensorMemory.Of<uint>(panels));
        return panels;
    }

    private static Tensor Mapped(Tensor tokens, Tensor panels, Tensor? bias, int columns)
    {
        var shape = tokens.shape;
        var features = (int)shape[^1];
        shape[^1] = columns;
        var output = empty(shape, dtype: tokens.dtype);
        var start = bias is null ? null : TensorMemory.Of<float>(bias);
        if (IsNarrow(tokens))
        {
            LinearKernel<BFloat16Tile>.Map(Rows(tokens), TensorMemory.Of<uint>(panels), start, TensorMemory.Of<byte>(output), features / 2, columns);
        }
        else
        {
            LinearKernel<Float32Tile>.Map(Rows(tokens), TensorMemory.Of<uint>(panels), start, TensorMemory.Of<byte>(output), features, columns);
        }

        return output;
    }

    private static bool IsNarrow(Tensor tensor) => tensor.dtype == ScalarType.BFloat16;

    private static bool IsOfImages(Tensor tokens) => tokens.dim() == 3 && tokens.stride() is var strides && strides[1] == 1 && strides[2] == tokens.size(1) && strides[0] == tokens.size(1) * tokens.size(2);

    private static TokenRows Rows(Tensor tokens, bool byImage = false)
    {
        var (shape, words) = (tokens.shape, (int)tokens.size(-1) / (IsNarrow(tokens) ? 2 : 1));
        return !tokens.is_contiguous() ? new((nint)TensorMemory.Of<byte>(tokens.transpose(1, 2)), (int)shape[0], (int)shape[1], shape[1] * words, 1, (int)shape[1])
            : byImage ? new((nint)TensorMemory.Of<byte>(tokens), (int)shape[0], (int)shape[1], shape[1] * words, words, 1)
            : new((nint)TensorMemory.Of<byte>(tokens), 1, (int)(tokens.numel() / shape[^1]), 0, words, 1);
    }
}
