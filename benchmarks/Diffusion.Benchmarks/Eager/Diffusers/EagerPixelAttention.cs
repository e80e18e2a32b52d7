using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Norm, self-attention of pixels, plus the input, under the names of diffusers' <c>Attention</c> in a <c>UNet2DModel</c>.</summary>
internal sealed class EagerPixelAttention : nn.Module<Tensor, Tensor>
{
    [ComponentName(Name = "group_norm")]
    private readonly GroupNorm _norm;

    [ComponentName(Name = "to_q")]
    private readonly Linear _query;

    [ComponentName(Name = "to_k")]
    private readonly Linear _key;

    [ComponentName(Name = "to_v")]
    private readonly Linear _value;

    [ComponentName(Name = "to_out")]
    private readonly ModuleList<Linear> _out;

    private readonly int _heads;

    public EagerPixelAttention(int channels, int heads, EagerDiffusersOptions options)
        : base(nameof(EagerPixelAttention))
    {
        _heads = heads;
        _norm = EagerLayers.Norm(channels, options.Groups, options.Eps);
        _query = nn.Linear(channels, channels);
        _key = nn.Linear(channels, channels);
        _value = nn.Linear(channels, channels);
        _out = new(nn.Linear(channels, channels));
        RegisterComponents();
    }

    /// <param name="images">[B, C, H, W].</param>
    /// <returns>The same shape.</returns>
    public override Tensor forward(Tensor images)
    {
        using var scope = NewDisposeScope();
        var tokens = _norm.call(images.flatten(2)).transpose(1, 2); // [B, C, H, W] → [B, H·W, C]
        var attended = EagerProjectedAttention.Attend(_query.call(tokens), _key.call(tokens), _value.call(tokens), _heads);
        return (_out[0].call(attended).transpose(1, 2).reshape(images.shape) + images).MoveToOuterDisposeScope();
    }
}
