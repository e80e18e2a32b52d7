using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A block of the contracting path of a <see cref="ContextUNet"/>: layers, then a downsampling where the plan says so.</summary>
internal sealed class ContextDownBlock : nn.Module
{
    [ComponentName(Name = "layers")]
    private readonly ContextLayers _layers;

    [ComponentName(Name = "downsample")]
    private readonly nn.Module? _downsample;

    private readonly BlockPlan _block;

    public ContextDownBlock(BlockPlan block, ContextOptions context, Generator? generator)
        : base(nameof(ContextDownBlock))
    {
        _block = block;
        _layers = new ContextLayers(block, context, generator);
        _downsample = BlockResampling.Down(block, generator);
        RegisterComponents();
    }

    /// <summary>Runs the block.</summary>
    /// <param name="images">[B, C in, H, W].</param>
    /// <param name="time">The activated time embedding, [B, time dimension].</param>
    /// <param name="context">[B, L, D].</param>
    /// <param name="skips">Receives what enters and, with one connection a layer, what leaves each layer.</param>
    /// <returns>[B, C out, H, W], or half the height and width.</returns>
    public Tensor Run(Tensor images, Tensor time, Tensor context, Stack<Tensor> skips)
    {
        using var scope = NewDisposeScope();
        var hidden = images;
        skips.Push(hidden);
        for (var i = 0; i < _layers.Count; i++)
        {
            hidden = _layers.Layer(i, hidden, null, time, context);
            if (_block.Network.Dialect.Skips == SkipConnections.Layer)
            {
                skips.Push(hidden.MoveToOuterDisposeScope());
            }
        }

        return BlockResampling.Halve(_block, _downsample, hidden, time).MoveToOuterDisposeScope();
    }
}
