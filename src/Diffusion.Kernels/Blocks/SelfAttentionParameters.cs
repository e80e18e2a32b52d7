using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>A self-attention block: norm, projections to queries, keys and values, attention over pixels, the last projection, plus the input.</summary>
/// <param name="Layout">Where heads lie in what the projections make.</param>
/// <param name="Norm">Before the projections, if any.</param>
/// <param name="Query">The projection to queries; to queries, keys and values where <paramref name="Key"/> and <paramref name="Value"/> are <see langword="null"/>. With a bias, as all of them.</param>
/// <param name="Key">The projection to keys.</param>
/// <param name="Value">The projection to values.</param>
/// <param name="Last">After attention, with a bias.</param>
/// <param name="OutputScale">What the sum is divided by.</param>
internal readonly record struct SelfAttentionParameters(AttentionLayout Layout, NormParameters? Norm, LinearParameters Query, LinearParameters? Key, LinearParameters? Value, LinearParameters Last, double OutputScale)
{
    private const int Vector = 16;

    /// <summary>C.</summary>
    public int Channels => (int)Last.Weight.size(0);

    /// <summary>How many projections there are: one or three.</summary>
    public int Projections => Key is null ? 1 : 3;

    /// <summary>A projection.</summary>
    public LinearParameters Projection(int index) => index switch { 0 => Query, 1 => Key!.Value, _ => Value!.Value };

    /// <summary>The tensors: weight and bias of each layer, in order; the last two are of <see cref="Last"/>.</summary>
    public Tensor[] Tensors()
    {
        List<Tensor> tensors = Norm is { } norm ? [norm.Weight, norm.Bias] : [];
        for (var i = 0; i < Projections; i++)
        {
            tensors.AddRange([Projection(i).Weight, Projection(i).Bias!]);
        }

        return [.. tensors, Last.Weight, Last.Bias!];
    }

    /// <summary>The same block of other tensors, in the order of <see cref="Tensors"/>.</summary>
    public SelfAttentionParameters With(IReadOnlyList<Tensor> tensors)
    {
        var at = Norm is null ? 0 : 2;
        LinearParameters Next() => new(tensors[at++], tensors[at++]);
        var (query, key, value) = (Next(), Key is null ? (LinearParameters?)null : Next(), Value is null ? (LinearParameters?)null : Next());
        return this with { Norm = Norm is { } norm ? norm with { Weight = tensors[0], Bias = tensors[1] } : null, Query = query, Key = key, Value = value, Last = Next() };
    }

    /// <summary>Whether <see cref="ImageAttention"/> runs here and reads images and layers, and attention is fastest on tiles.</summary>
    public bool CanRead(Tensor images) =>
        OutputScale is 1 && images.dim() == 4 && images.is_contiguous() && images.dtype == (LayerPrecision.IsNarrow(Last.Weight) ? ScalarType.BFloat16 : ScalarType.Float32)
        && TileSupport.Runs && images.device_type == TorchSharp.DeviceType.CPU
        && Channels % Vector == 0 && Layout.Inner % Vector == 0
        && images.size(2) * images.size(3) is >= TilePanels.Rows and var tokens
        && FusedAttention.CanRun(Layout, images.dtype, images.device_type, images.size(0), tokens, tokens)
        && (Norm is not { } norm || (IsWide(norm.Weight) && IsWide(norm.Bias))) && IsReadable(Last) && IsReadable(Query) && (Key is not { } key || IsReadable(key)) && (Value is not { } value || IsReadable(value));

    private static bool IsReadable(LinearParameters linear) => IsWide(linear.Weight) && linear.Bias is { } bias && IsWide(bias);

    private static bool IsWide(Tensor tensor) => tensor.dtype == ScalarType.Float32 && tensor.is_contiguous();
}
