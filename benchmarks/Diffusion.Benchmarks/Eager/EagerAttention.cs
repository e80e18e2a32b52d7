using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>
/// Multi-head self-attention with the weights of PyTorch's <c>nn.MultiheadAttention</c> and its fused product, which is what that module runs
/// where nobody asks for the attention weights. TorchSharp's module always takes the slower path with the weights.
/// </summary>
internal sealed class EagerAttention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "in_proj_weight")]
    private readonly Parameter _inWeight;

    [ComponentName(Name = "in_proj_bias")]
    private readonly Parameter _inBias;

    [ComponentName(Name = "out_proj")]
    private readonly TorchSharp.Modules.Linear _out;

    private readonly int _heads;

    public EagerAttention(int channels, int heads)
        : base(nameof(EagerAttention))
    {
        _heads = heads;
        _inWeight = nn.Parameter(nn.init.xavier_uniform_(empty(3 * channels, channels)));
        _inBias = nn.Parameter(zeros(3 * channels));
        _out = nn.Linear(channels, channels);
        RegisterComponents();
    }

    /// <param name="tokens">[B, N, C].</param>
    /// <returns>[B, N, C].</returns>
    public override Tensor forward(Tensor tokens)
    {
        using var scope = NewDisposeScope();
        var (batch, count, channels) = (tokens.shape[0], tokens.shape[1], tokens.shape[2]);
        var parts = nn.functional.linear(tokens, _inWeight, _inBias)
            .view(batch, count, 3, _heads, channels / _heads).permute(2, 0, 3, 1, 4); // [B, N, 3·C] → [3, B, heads, N, d]
        var attended = nn.functional.scaled_dot_product_attention(parts[0], parts[1], parts[2]);
        return _out.call(attended.transpose(1, 2).reshape(batch, count, channels)).MoveToOuterDisposeScope(); // [B, heads, N, d] → [B, N, C]
    }
}
