using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>A residual layer under the names of diffusers' <c>ResnetBlock2D</c>: norm, SiLU, convolution, the time, norm, SiLU, dropout, convolution, plus the input.</summary>
internal sealed class EagerResnet : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "norm1")]
    private readonly GroupNorm _norm1;

    [ComponentName(Name = "conv1")]
    private readonly Conv2d _conv1;

    [ComponentName(Name = "time_emb_proj")]
    private readonly Linear _time;

    [ComponentName(Name = "norm2")]
    private readonly GroupNorm _norm2;

    [ComponentName(Name = "dropout")]
    private readonly TorchSharp.Modules.Dropout _dropout;

    [ComponentName(Name = "conv2")]
    private readonly Conv2d _conv2;

    [ComponentName(Name = "conv_shortcut")]
    private readonly Conv2d? _shortcut;

    public EagerResnet(int inChannels, int outChannels, EagerDiffusersOptions options)
        : base(nameof(EagerResnet))
    {
        _norm1 = EagerLayers.Norm(inChannels, options.Groups, options.Eps);
        _conv1 = nn.Conv2d(inChannels, outChannels, 3L, padding: 1L);
        _time = nn.Linear(options.TimeDimension, outChannels);
        _norm2 = EagerLayers.Norm(outChannels, options.Groups, options.Eps);
        _dropout = nn.Dropout(options.Dropout);
        _conv2 = nn.Conv2d(outChannels, outChannels, 3L, padding: 1L);
        _shortcut = inChannels == outChannels ? null : nn.Conv2d(inChannels, outChannels, 1L);
        RegisterComponents();
    }

    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="time">[B, time dimension].</param>
    /// <returns>[B, C out, H, W].</returns>
    public override Tensor forward(Tensor images, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = _conv1.call(nn.functional.silu(_norm1.call(images)));
        hidden = hidden + _time.call(nn.functional.silu(time)).unsqueeze(-1).unsqueeze(-1); // [B, C] → [B, C, 1, 1]
        hidden = _conv2.call(_dropout.call(nn.functional.silu(_norm2.call(hidden))));
        return ((_shortcut is null ? images : _shortcut.call(images)) + hidden).MoveToOuterDisposeScope();
    }
}
