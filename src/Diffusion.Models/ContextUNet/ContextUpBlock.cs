using TorchSharp;
using TorchSharp.Utils;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>A block of the expanding path of a <see cref="ContextUNet"/>: an upsampling to the size of the skip connections, then layers that each take one.</summary>
internal sealed class ContextUpBlock : nn.Module
{
    [ComponentName(Name = "upsample")]
    private readonly nn.Module? _upsample;

    [ComponentName(Name = "layers")]
    private readonly ContextLayers _layers;

    private readonly BlockPlan _block;

    public ContextUpBlock(BlockPlan block, ContextOptions context, Generator? generator)
        : base(nameof(ContextUpBlock))
    {
        _block = block;
        _upsample = BlockResampling.Up(block, generator);
        _layers = new ContextLayers(block, context, generator);
        RegisterComponents();
    }

    /// <summary>Runs the block.</summary>
    /// <param name="images">[B, C in, H, W] from the block below.</param>
    /// <param name="time">The activated time embedding, [B, time dimension].</param>
    /// <param name="context">[B, L, D].</param>
    /// <param name="skips">What the down block of the same depth left, [B, C skip, H', W'] each; taken from the end.</param>
    /// <returns>[B, C out, H', W'].</returns>
    public Tensor Run(Tensor images, Tensor time, Tensor context, Stack<Tensor> skips)
    {
        using var scope = NewDisposeScope();
        var hidden = BlockResampling.Double(_block, _upsample, images, time, skips.Peek().shape[2], skips.Peek().shape[3]);
        for (var i = 0; i < _layers.Count; i++)
        {
            hidden = _layers.Layer(i, hidden, i < _block.Skips.Count ? skips.Pop() : null, time, context);
        }

        return hidden.MoveToOuterDisposeScope();
    }
}
