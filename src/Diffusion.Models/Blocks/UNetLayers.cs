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
        var hidden = Layer(0, images, time);
        for (var i = 1; i < _residuals.Count; i++)
        {
            using var before = hidden;
            hidden = Layer(i, before, time);
        }

        return hidden;
    }

    /// <summary>One residual block with its attention.</summary>
    public Tensor Layer(int index, Tensor images, Tensor time)
    {
        var attention = index - (_startsAlone ? 1 : 0);
        var (residual, attends) = (_residuals[index], attention >= 0 && attention < _attentions.Count ? _attentions[attention] : null);
        return _recomputes ? Recomputed(residual, attends, images, time) : Layer(residual, attends, images, time);
    }

    private Tensor Recomputed(ResidualBlock residual, SelfAttention? attention, Tensor images, Tensor time)
    {
        nn.Module[] parts = attention is null ? [residual] : [residual, attention];
        return GradientCheckpointing.Run(parts, inputs => Layer(residual, attention, inputs[0], inputs[1]), images, time);
    }

    private Tensor Layer(ResidualBlock residual, SelfAttention? attention, Tensor images, Tensor time)
    {
        if (attention is null)
        {
            return residual.call(images, time);
        }

        using var between = _startsAlone ? attention.call(images) : residual.call(images, time);
        return _startsAlone ? residual.call(between, time) : attention.call(between);
    }
}
