using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Noise levels as waves of random frequencies: [sin(2π·w·ln t), cos(2π·w·ln t)] with fixed w ~ N(0, scale²).</summary>
/// <remarks>Tancik et al., arXiv:2006.10739; Song et al., arXiv:2011.13456, appendix C. State: the buffer <c>weight</c> [width/2], which is not trained.</remarks>
internal sealed class FourierWaves : nn.Module<Tensor, Tensor>
{
    private readonly WaveOrder _order;

    public FourierWaves(int width, TimeEmbeddingOptions options, Generator? generator)
        : base(nameof(FourierWaves))
    {
        _order = options.Order;
        using var drawn = LayerParameter.Normal([width / 2], options.FourierScale, generator);
        var weight = drawn.detach().clone();
        weight.DetachFromDisposeScope();
        register_buffer("weight", weight);
    }

    /// <param name="timesteps">[B], above 0.</param>
    /// <returns>[B, width], in the type of the weights.</returns>
    public override Tensor forward(Tensor timesteps)
    {
        using var scope = NewDisposeScope();
        var weight = get_buffer("weight")!;
        // In the type of the weights and in this order of products: an angle is up to thousands, so the networks that are trained with it see its rounding.
        using var pi = Math.PI.ToScalar();
        var angles = timesteps.to(weight.dtype).log().unsqueeze(1) * weight.unsqueeze(0) * Scalars.Two * pi; // [B, 1] × [1, width/2] → [B, width/2]
        Tensor[] waves = _order == WaveOrder.SineFirst ? [angles.sin(), angles.cos()] : [angles.cos(), angles.sin()];
        return cat(waves, dim: 1).MoveToOuterDisposeScope(); // → [B, width]
    }
}
