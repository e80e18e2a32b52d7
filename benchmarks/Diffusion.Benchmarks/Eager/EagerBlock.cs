using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>What the blocks of the course's network share: residual layers and attentions, under the names of the original.</summary>
internal abstract class EagerBlock : nn.Module
{
    private const int Heads = 4;

    [ComponentName(Name = "resnet_conv_first")]
    private readonly ModuleList<Sequential> _first;

    [ComponentName(Name = "t_emb_layers")]
    private readonly ModuleList<Sequential> _time;

    [ComponentName(Name = "resnet_conv_second")]
    private readonly ModuleList<Sequential> _second;

    [ComponentName(Name = "attention_norms")]
    private readonly ModuleList<GroupNorm> _norms;

    [ComponentName(Name = "attentions")]
    private readonly ModuleList<EagerAttention> _attentions;

    [ComponentName(Name = "residual_input_conv")]
    private readonly ModuleList<Conv2d> _shortcuts;

    protected EagerBlock(string name, int inChannels, int outChannels, int timeDimension, int residuals, int attentions)
        : base(name)
    {
        int From(int layer) => layer == 0 ? inChannels : outChannels;
        Residuals = residuals;
        _first = new([.. Enumerable.Range(0, residuals).Select(i => EagerLayers.NormConvolution(From(i), outChannels))]);
        _time = new([.. Enumerable.Range(0, residuals).Select(_ => EagerLayers.TimeLayer(timeDimension, outChannels))]);
        _second = new([.. Enumerable.Range(0, residuals).Select(_ => EagerLayers.NormConvolution(outChannels, outChannels))]);
        _norms = new([.. Enumerable.Range(0, attentions).Select(_ => EagerLayers.Norm(outChannels))]);
        _attentions = new([.. Enumerable.Range(0, attentions).Select(_ => new EagerAttention(outChannels, Heads))]);
        _shortcuts = new([.. Enumerable.Range(0, residuals).Select(i => nn.Conv2d(From(i), outChannels, 1L))]);
    }

    protected int Residuals { get; }

    /// <summary>[B, C in, H, W] and [B, time dimension] → [B, C out, H, W].</summary>
    protected Tensor Residual(int layer, Tensor images, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = _first[layer].call(images);
        hidden = hidden + _time[layer].call(time).unsqueeze(-1).unsqueeze(-1); // [B, C] → [B, C, 1, 1]
        hidden = _second[layer].call(hidden);
        return (hidden + _shortcuts[layer].call(images)).MoveToOuterDisposeScope();
    }

    /// <summary>[B, C, H, W] → the same shape.</summary>
    protected Tensor Attend(int layer, Tensor images)
    {
        using var scope = NewDisposeScope();
        var (batch, channels, height, width) = (images.shape[0], images.shape[1], images.shape[2], images.shape[3]);
        var tokens = _norms[layer].call(images.reshape(batch, channels, height * width)).transpose(1, 2); // [B, C, H, W] → [B, H·W, C]
        var attended = _attentions[layer].call(tokens).transpose(1, 2).reshape(batch, channels, height, width);
        return (images + attended).MoveToOuterDisposeScope();
    }
}
