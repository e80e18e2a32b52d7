using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>The products of a linear map and of its gradients, as tensors without a graph: <see cref="LinearKernel"/>.</summary>
internal static unsafe class LinearTokens
{
    /// <summary>Whether tokens [..., C] can be read as they lie: row after row, or, [B, N, C], as the channels of images.</summary>
    public static bool Readable(Tensor tokens) => tokens.is_contiguous() || (IsOfImages(tokens) && tokens.shape[1] >= LinearKernel.FewestRows);

    /// <summary>tokens · weightᵀ + bias.</summary>
    /// <param name="tokens">[…, C], as <see cref="Readable"/> wants them.</param>
    /// <param name="weight">[O, C].</param>
    /// <param name="bias">[O], or <see langword="null"/>.</param>
    public static Tensor Map(Tensor tokens, Tensor weight, Tensor? bias)
    {
        using var scope = NewDisposeScope();
        var panels = PreparedWeights.Get(weight, nameof(TilePanels), Packed);
        return Mapped(tokens, panels, bias, (int)weight.shape[0]).MoveToOuterDisposeScope();
    }

    /// <summary>direction · weight: the gradient of the tokens.</summary>
    /// <param name="direction">[…, O], contiguous.</param>
    /// <param name="weight">[O, C].</param>
    /// <returns>[…, C].</returns>
    public static Tensor ToInput(Tensor direction, Tensor weight)
    {
        using var scope = NewDisposeScope();
        var panels = empty_like(weight);
        TilePanels.Pack(Data(weight), (int)weight.shape[1], (int)weight.shape[0], Data(panels));
        return Mapped(direction, panels, null, (int)weight.shape[1]).MoveToOuterDisposeScope();
    }

    /// <summary>directionᵀ · tokens: the gradient of the weight.</summary>
    /// <param name="tokens">As for <see cref="Map"/>.</param>
    /// <param name="direction">[…, O], contiguous.</param>
    /// <returns>[O, C].</returns>
    public static Tensor ToWeight(Tensor tokens, Tensor direction)
    {
        var (inFeatures, outFeatures) = ((int)tokens.shape[^1], (int)direction.shape[^1]);
        if (tokens.is_contiguous())
        {
            var sums = empty([outFeatures, inFeatures]);
            LinearKernel.Correlate(Rows(direction), Rows(tokens), outFeatures, inFeatures, Data(sums));
            return sums;
        }

        using var scope = NewDisposeScope();
        var turned = empty([inFeatures, outFeatures]);
        var rows = new TokenRows((nint)Data(direction), (int)direction.shape[0], (int)direction.shape[1], direction.stride(0), outFeatures, 1);
        LinearKernel.Correlate(Rows(tokens), rows, inFeatures, outFeatures, Data(turned));
        return turned.t().contiguous().MoveToOuterDisposeScope();
    }

    private static Tensor Packed(Tensor weight)
    {
        var panels = empty_like(weight);
        TilePanels.PackTransposed(Data(weight), (int)weight.shape[0], (int)weight.shape[1], Data(panels));
        return panels;
    }

    private static Tensor Mapped(Tensor tokens, Tensor panels, Tensor? bias, int columns)
    {
        var shape = tokens.shape;
        var depth = (int)shape[^1];
        shape[^1] = columns;
        var output = empty(shape);
        LinearKernel.Map(Rows(tokens), Data(panels), bias is null ? null : Data(bias), Data(output), depth, columns);
        return output;
    }

    private static bool IsOfImages(Tensor tokens) => tokens.dim() == 3 && tokens.stride() is var strides && strides[1] == 1 && strides[2] == tokens.shape[1] && strides[0] == tokens.shape[1] * tokens.shape[2];

    private static TokenRows Rows(Tensor tokens)
    {
        var (shape, features) = (tokens.shape, (int)tokens.shape[^1]);
        return tokens.is_contiguous()
            ? new((nint)Data(tokens), 1, (int)(tokens.numel() / features), 0, features, 1)
            : new((nint)Address(tokens.transpose(1, 2)), (int)shape[0], (int)shape[1], shape[1] * features, 1, (int)shape[1]);
    }

    private static float* Address(Tensor turned)
    {
        using (turned)
        {
            return Data(turned);
        }
    }

    private static float* Data(Tensor tensor)
    {
        fixed (byte* data = tensor.bytes) // native memory, which does not move
        {
            return (float*)data;
        }
    }
}
