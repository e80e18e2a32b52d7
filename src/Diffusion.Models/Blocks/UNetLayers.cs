using TorchSharp;
using TorchSharp.Modules;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// The layers of a block: residual blocks, each followed by attention where that is on; in a mid block the first residual block stands alone before them, and each attention
/// comes before its residual block. With a context the attentions are <see cref="SpatialTransformer"/>s, without one <see cref="SelfAttention"/>s.
/// </summary>
internal sealed class UNetLayers : nn.Module
{
    [ComponentName(Name = "residuals")]
    private readonly ModuleList<ResidualBlock> _residuals;

    [ComponentName(Name = "attentions")]
    private readonly ModuleList<nn.Module> _attentions;

    private readonly bool _startsAlone;
    private readonly bool _recomputes;

    public UNetLayers(BlockPlan block, Generator? generator)
        : base(nameof(UNetLayers))
    {
        _startsAlone = block.IsMid;
        _recomputes = block.Network.Dialect.GradientCheckpointing;
        _residuals = new([.. Enumerable.Range(0, block.Residuals).Select(i => new ResidualBlock(block.Residual(i), generator))]);
        _attentions = new([.. Enumerable.Range(0, block.Attentions).Select(_ => Attention(block, generator))]);
        RegisterComponents();
    }

    /// <summary>All layers, one after the other.</summary>
    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="time">The activated time embedding, [B, time dimension].</param>
    /// <param name="context">[B, L, D], or <see langword="null"/> for a network without a context.</param>
    /// <returns>[B, C out, H, W].</returns>
    public Tensor Run(Tensor images, Tensor time, Tensor? context)
    {
        var hidden = Layer(0, images, null, time, context);
        for (var i = 1; i < _residuals.Count; i++)
        {
            using var before = hidden;
            hidden = Layer(i, before, null, time, context);
        }

        return hidden;
    }

    /// <summary>One residual block with its attention.</summary>
    /// <param name="index">Which one.</param>
    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="skip">Further channels, [B, C skip, H, W], or <see langword="null"/>.</param>
    /// <param name="time">The activated time embedding, [B, time dimension].</param>
    /// <param name="context">[B, L, D], or <see langword="null"/>.</param>
    /// <returns>[B, C out, H, W].</returns>
    public Tensor Layer(int index, Tensor images, Tensor? skip, Tensor time, Tensor? context)
    {
        var attention = index - (_startsAlone ? 1 : 0);
        var (residual, attends) = (_residuals[index], attention >= 0 && attention < _attentions.Count ? _attentions[attention] : null);
        return _recomputes ? Recomputed(residual, attends, images, skip, time, context) : Joined(residual, attends, images, skip, time, context);
    }

    private Tensor Recomputed(ResidualBlock residual, nn.Module? attention, Tensor images, Tensor? skip, Tensor time, Tensor? context)
    {
        nn.Module[] parts = attention is null ? [residual] : [residual, attention];
        var (joins, conditioned) = (skip is not null, context is not null);
        Tensor[] inputs = [images, time, .. skip is null ? [] : (Tensor[])[skip], .. context is null ? [] : (Tensor[])[context]];
        return GradientCheckpointing.Run(parts, again => Joined(residual, attention, again[0], joins ? again[2] : null, again[1], conditioned ? again[^1] : null), inputs);
    }

    private Tensor Joined(ResidualBlock residual, nn.Module? attention, Tensor images, Tensor? skip, Tensor time, Tensor? context)
    {
        if (skip is null)
        {
            return Layer(residual, attention, images, time, context);
        }

        using var joined = cat([images, skip], dim: 1);
        return Layer(residual, attention, joined, time, context);
    }

    private Tensor Layer(ResidualBlock residual, nn.Module? attention, Tensor images, Tensor time, Tensor? context)
    {
        if (attention is null)
        {
            return residual.call(images, time);
        }

        using var between = _startsAlone ? Attended(attention, images, context) : residual.call(images, time);
        return _startsAlone ? residual.call(between, time) : Attended(attention, between, context);
    }

    private static nn.Module Attention(BlockPlan block, Generator? generator) => block.Transformer() is { } options
        ? new SpatialTransformer(block.Channels, options, generator)
        : new SelfAttention(block.Attention(), generator);

    private static Tensor Attended(nn.Module attention, Tensor images, Tensor? context) => attention is SpatialTransformer transformer
        ? transformer.call(images, context!)
        : ((SelfAttention)attention).call(images);
}
