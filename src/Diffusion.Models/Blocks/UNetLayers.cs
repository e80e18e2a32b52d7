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
    private readonly bool _recomputes;

    public UNetLayers(BlockPlan block, Generator? generator)
        : base(nameof(UNetLayers))
    {
        _startsAlone = block.IsMid;
        _recomputes = block.Network.Dialect.GradientCheckpointing;
        _residuals = new([.. Enumerable.Range(0, block.Residuals).Select(i => new ResidualBlock(block.Residual(i), generator))]);
        _attentions = new([.. Enumerable.Range(0, block.Attentions).Select(_ => new SelfAttention(block.Attention(), generator))]);
        RegisterComponents();
    }

    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="time">The activated time embedding, [B, time dimension].</param>
    /// <returns>[B, C out, H, W].</returns>
    public override Tensor forward(Tensor images, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = images;
        for (var i = 0; i < _residuals.Count; i++)
        {
            hidden = Layer(i, hidden, time);
        }

        return hidden.MoveToOuterDisposeScope();
    }

    /// <summary>One residual block with its attention.</summary>
    public Tensor Layer(int index, Tensor images, Tensor time)
    {
        var attention = index - (_startsAlone ? 1 : 0);
        var (residual, attends) = (_residuals[index], attention >= 0 && attention < _attentions.Count ? _attentions[attention] : null);
        if (!_recomputes)
        {
            return Layer(residual, attends, images, time);
        }

        nn.Module[] parts = attends is null ? [residual] : [residual, attends];
        return GradientCheckpointing.Run(parts, inputs => Layer(residual, attends, inputs[0], inputs[1]), images, time);
    }

    private Tensor Layer(ResidualBlock residual, SelfAttention? attention, Tensor images, Tensor time)
    {
        using var scope = NewDisposeScope();
        var hidden = attention is not null && _startsAlone ? attention.call(images) : images;
        hidden = residual.call(hidden, time);
        hidden = attention is not null && !_startsAlone ? attention.call(hidden) : hidden;
        return hidden.MoveToOuterDisposeScope();
    }
}
