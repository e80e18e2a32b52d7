using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A self-attention of <see cref="EagerUNet"/>, with four heads.</summary>
internal sealed class EagerAttention : nn.Module<Tensor, Tensor>
{
    private const int Heads = 4;

    [ComponentName(Name = "norm")]
    private readonly nn.Module<Tensor, Tensor> _norm;

    [ComponentName(Name = "module")]
    private readonly MultiheadAttention? _module;

    [ComponentName(Name = "qkv")]
    private readonly nn.Module<Tensor, Tensor>? _qkv;

    [ComponentName(Name = "out")]
    private readonly nn.Module<Tensor, Tensor>? _out;

    public EagerAttention(int channels, bool module)
        : base(nameof(EagerAttention))
    {
        _norm = EagerResidual.Norm(channels);
        _module = module ? nn.MultiheadAttention(channels, Heads) : null;
        _qkv = module ? null : nn.Linear(channels, 3 * channels);
        _out = module ? null : nn.Linear(channels, channels);
        RegisterComponents();
    }

    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var (batch, channels) = (images.shape[0], images.shape[1]);
        var tokens = _norm.call(images).flatten(2).permute(2, 0, 1); // [B, C, H, W] → [H·W, B, C]
        var attended = _module is null ? Products(tokens.transpose(0, 1)) : _module.call(tokens, tokens, tokens, null, true, null).Item1.transpose(0, 1);
        return (images + attended.transpose(1, 2).reshape(images.shape)).MoveToOuterDisposeScope();

        Tensor Products(Tensor rows) // [B, H·W, C]
        {
            var joint = _qkv!.call(rows).view(batch, -1, 3, Heads, channels / Heads).permute(2, 0, 3, 1, 4); // → [3, B, heads, H·W, d]
            var weights = nn.functional.softmax(matmul(joint[0], joint[1].transpose(-2, -1)) / Math.Sqrt((double)channels / Heads), -1);
            return _out!.call(matmul(weights, joint[2]).transpose(1, 2).reshape(batch, -1, channels));
        }
    }
}
