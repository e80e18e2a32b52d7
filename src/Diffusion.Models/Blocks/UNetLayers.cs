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

    public UNetLayers(BlockPlan block, Generator? generator)
        : base(nameof(UNetLayers))
    {
        _startsAlone = block.IsMid;
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
        using var scope = NewDisposeScope();
        var attention = index - (_startsAlone ? 1 : 0);
        var attends = attention >= 0 && attention < _attentions.Count;
        var hidden = attends && _startsAlone ? _attentions[attention].call(images) : images;
        hidden = _residuals[index].call(hidden, time);
        hidden = attends && !_startsAlone ? _attentions[attention].call(hidden) : hidden;
        return hidden.MoveToOuterDisposeScope();
    }
}
