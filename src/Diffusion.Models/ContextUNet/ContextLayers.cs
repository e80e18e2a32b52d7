using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// The layers of a block: residual blocks, each followed by a transformer where attention is on; in a mid block the first residual block
/// stands alone before them, and each transformer comes before its residual block.
/// </summary>
internal sealed class ContextLayers : nn.Module
{
    [ComponentName(Name = "residuals")]
    private readonly ModuleList<ResidualBlock> _residuals;

    [ComponentName(Name = "attentions")]
    private readonly ModuleList<SpatialTransformer> _attentions;

    private readonly BlockPlan _block;

    public ContextLayers(BlockPlan block, ContextOptions context, Generator? generator)
        : base(nameof(ContextLayers))
    {
        _block = block;
        _residuals = new([.. Enumerable.Range(0, block.Residuals).Select(i => new ResidualBlock(block.Residual(i), generator))]);
        _attentions = new([.. Enumerable.Range(0, block.Attentions).Select(_ => new SpatialTransformer(block.Channels, context.For(block), generator))]);
        RegisterComponents();
    }

    public int Count => _residuals.Count;

    /// <summary>One residual block with its transformer.</summary>
    /// <param name="index">Which one.</param>
    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="skip">Further channels, [B, C skip, H, W], or <see langword="null"/>.</param>
    /// <param name="time">The activated time embedding, [B, time dimension].</param>
    /// <param name="context">[B, L, D].</param>
    /// <returns>[B, C out, H, W].</returns>
    public Tensor Layer(int index, Tensor images, Tensor? skip, Tensor time, Tensor context)
    {
        var attention = index - (_block.IsMid ? 1 : 0);
        var transformer = attention >= 0 && attention < _attentions.Count ? _attentions[attention] : null;
        Tensor[] inputs = skip is null ? [time, context, images] : [time, context, images, skip];
        if (!_block.Network.Dialect.GradientCheckpointing)
        {
            return Layer(_residuals[index], transformer, inputs);
        }

        nn.Module[] parts = transformer is null ? [_residuals[index]] : [_residuals[index], transformer];
        return GradientCheckpointing.Run(parts, again => Layer(_residuals[index], transformer, again), inputs);
    }

    private Tensor Layer(ResidualBlock residual, SpatialTransformer? transformer, IReadOnlyList<Tensor> inputs)
    {
        using var scope = NewDisposeScope();
        var (time, context) = (inputs[0], inputs[1]);
        var hidden = inputs.Count == 3 ? inputs[2] : cat([inputs[2], inputs[3]], dim: 1);
        hidden = transformer is not null && _block.IsMid ? transformer.call(hidden, context) : hidden;
        hidden = residual.call(hidden, time);
        hidden = transformer is not null && !_block.IsMid ? transformer.call(hidden, context) : hidden;
        return hidden.MoveToOuterDisposeScope();
    }
}
