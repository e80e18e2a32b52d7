using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>The layers of a block: residual blocks, each followed by self-attention where that is on; in a mid block the first residual block stands alone before them.</summary>
internal sealed class UNetLayers : nn.Module<Tensor, Tensor, Tensor>
{
    [ComponentName(Name = "residuals")]
    private readonly ModuleList<ResidualBlock> _residuals;

    [ComponentName(Name = "attentions")]
    private readonly ModuleList<SelfAttention> _attentions;

    private readonly bool _startsAlone;

    public UNetLayers(UNetPlan.Block block, bool startsAlone, UNetOptions options, Generator? generator)
        : base(nameof(UNetLayers))
    {
        _startsAlone = startsAlone;
        var channels = block.Options.Channels;
        var residuals = block.Options.Layers + (startsAlone ? 1 : 0);
        _residuals = new([.. Enumerable.Range(0, residuals).Select(i => new ResidualBlock(i == 0 ? block.InChannels + block.SkipChannels : channels, channels, options, generator))]);
        _attentions = new([.. Enumerable.Range(0, block.Options.Attention ? block.Options.Layers : 0).Select(_ => new SelfAttention(channels, block.Options.Heads, options, generator))]);
        RegisterComponents();
    }

    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="time">SiLU of the time embedding, [B, time dimension].</param>
    /// <returns>[B, C out, H, W].</returns>
    public override Tensor forward(Tensor images, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = images;
        for (var i = 0; i < _residuals.Count; i++)
        {
            var attention = i - (_startsAlone ? 1 : 0);
            hidden = _startsAlone && attention >= 0 && attention < _attentions.Count ? _attentions[attention].call(hidden) : hidden;
            hidden = _residuals[i].call(hidden, time);
            hidden = !_startsAlone && i < _attentions.Count ? _attentions[i].call(hidden) : hidden;
        }

        return hidden.MoveToOuterDisposeScope();
    }
}
