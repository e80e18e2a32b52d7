using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Attention of tokens to a context under the names of diffusers' <c>Attention</c>, with PyTorch's fused product as its <c>AttnProcessor2_0</c> calls it.</summary>
internal sealed class EagerProjectedAttention : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "to_q")]
    private readonly Linear _query;

    [ComponentName(Name = "to_k")]
    private readonly Linear _key;

    [ComponentName(Name = "to_v")]
    private readonly Linear _value;

    [ComponentName(Name = "to_out")]
    private readonly ModuleList<Linear> _out;

    private readonly int _heads;

    /// <param name="channels">The features of a token.</param>
    /// <param name="contextChannels">The features of a token of the context.</param>
    /// <param name="heads">How many heads there are.</param>
    public EagerProjectedAttention(int channels, int contextChannels, int heads)
        : base(nameof(EagerProjectedAttention))
    {
        _heads = heads;
        _query = nn.Linear(channels, channels, hasBias: false);
        _key = nn.Linear(contextChannels, channels, hasBias: false);
        _value = nn.Linear(contextChannels, channels, hasBias: false);
        _out = new(nn.Linear(channels, channels));
        RegisterComponents();
    }

    /// <param name="tokens">[B, N, C].</param>
    /// <param name="context">[B, L, D].</param>
    /// <returns>[B, N, C].</returns>
    public override Tensor forward(Tensor tokens, Tensor context)
    {
        using var scope = NewDisposeScope();
        var attended = Attend(_query.call(tokens), _key.call(context), _value.call(context), _heads);
        return _out[0].call(attended).MoveToOuterDisposeScope();
    }

    /// <summary>The product of all heads: [B, N, C], [B, L, C], [B, L, C] → [B, N, C].</summary>
    public static Tensor Attend(Tensor query, Tensor key, Tensor value, int heads)
    {
        var attended = nn.functional.scaled_dot_product_attention(Split(query, heads), Split(key, heads), Split(value, heads));
        return attended.transpose(1, 2).reshape(query.shape); // [B, heads, N, d] → [B, N, C]
    }

    private static Tensor Split(Tensor tokens, int heads) => tokens.view(tokens.shape[0], -1, heads, tokens.shape[2] / heads).transpose(1, 2); // [B, N, C] → [B, heads, N, d]
}
