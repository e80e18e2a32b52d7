using System.Collections.Concurrent;
using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Where the heads of queries, keys and values lie: in one tensor of tokens or in three.</summary>
internal sealed class AttentionLayout(int heads, int width, HeadLayout query, HeadLayout key, HeadLayout value)
{
    private readonly ConcurrentDictionary<AttentionForm, IAttentionKernel> _kernels = new();
    private readonly Lazy<AttentionLayout> _joint = new(() => Joint(heads, width));

    /// <summary>Where they lie in one tensor of queries, keys and values.</summary>
    public AttentionLayout AsOne => query.Offset == key.Offset ? _joint.Value : this; // three tensors begin at the same place

    /// <summary>How many heads there are.</summary>
    public int Heads => heads;

    /// <summary>The features of a head.</summary>
    public int Width => width;

    /// <summary>The features of all heads together.</summary>
    public int Inner => Heads * Width;

    /// <summary>Three tensors, in each one head after the other.</summary>
    public static AttentionLayout Separate(int heads, int width) => new(heads, width, HeadLayout.Alone(width), HeadLayout.Alone(width), HeadLayout.Alone(width));

    /// <summary>One tensor with all queries, all keys, all values of a token.</summary>
    public static AttentionLayout Joint(int heads, int width) => new(
        heads, width, new(0, width, width), new(heads * width, width, width), new(2 * heads * width, width, width));

    /// <summary>One tensor with query, key and value of one head after the other.</summary>
    public static AttentionLayout JointByHead(int heads, int width) => new(
        heads, width, new(0, 3 * width, width), new(width, 3 * width, width), new(2 * width, 3 * width, width));

    /// <summary>The kernel for tokens of a type.</summary>
    /// <returns><see langword="null"/> where this machine cannot run it.</returns>
    public IAttentionKernel? Kernel(bool narrow)
    {
        if (!TileSupport.Runs)
        {
            return null;
        }

        var form = TileKernel<AttentionForm>.For(narrow && TileSupport.MultipliesNarrow);
        return _kernels.TryGetValue(form, out var made) ? made : _kernels.GetOrAdd(form, form.Create(heads, width));
    }

    /// <summary>The heads of one tensor, or of three.</summary>
    public (HeadView Query, HeadView Key, HeadView Value) Views(Tensor[] tokens) => (HeadView.Of(tokens[0], query), HeadView.Of(tokens[tokens.Length / 2], key), HeadView.Of(tokens[^1], value));

    /// <summary>The heads as views, [B, heads, N, d] each.</summary>
    public (Tensor Query, Tensor Key, Tensor Value) Split(Tensor[] tokens) =>
        (Heads4(tokens[0], query), Heads4(tokens[tokens.Length / 2], key), Heads4(tokens[^1], value));

    /// <summary>The heads of a tensor [B, N, heads·d] of nothing else.</summary>
    public HeadView Whole(Tensor tokens) => HeadView.Of(tokens, HeadLayout.Alone(Width));

    /// <summary>The heads of tokens in memory.</summary>
    /// <param name="data">One block of tokens [B, N, …], or three.</param>
    /// <param name="narrow">Whether they are bfloat16.</param>
    /// <param name="tokens">N.</param>
    public unsafe (HeadView Query, HeadView Key, HeadView Value) Views(ReadOnlySpan<nint> data, bool narrow, int tokens)
    {
        var features = data.Length == 1 ? 3 * Inner : Inner;
        return (new((void*)data[0], narrow, tokens, features, query), new((void*)data[data.Length / 2], narrow, tokens, features, key), new((void*)data[^1], narrow, tokens, features, value));
    }

    private Tensor Heads4(Tensor tokens, HeadLayout part) => tokens
        .narrow(2, part.Offset / part.Stride * part.Stride, Heads * part.Stride)
        .unflatten(2, [Heads, part.Stride]) // [B, N, heads·stride] → [B, N, heads, stride]
        .narrow(3, part.Offset % part.Stride, Width)
        .transpose(1, 2); // → [B, heads, N, d]
}
