using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// The two ends of a network, which compute in the type of their weights in every precision: bfloat16 cannot tell timesteps apart, has no digits for the little noise
/// of the first timesteps beside an image, and should not round what leaves.
/// </summary>
internal static class NetworkEnds
{
    /// <summary>The first convolution: [B, C, H, W] → [B, C out, H, W], in the precision of the layers that follow.</summary>
    public static Tensor First(Conv2d convolution, Tensor images)
    {
        var narrow = LayerPrecision.IsNarrow(convolution.Weight);
        using var precision = MixedPrecision.Use(ComputePrecision.Float32);
        using var scope = NewDisposeScope();
        var features = convolution.call(images);
        return (narrow ? LayerPrecision.Narrow(features) : features).MoveToOuterDisposeScope();
    }

    /// <summary>The last convolution: [B, C, H, W] → [B, C out, H, W].</summary>
    public static Tensor Last(Conv2d convolution, Tensor images)
    {
        using var precision = MixedPrecision.Use(ComputePrecision.Float32);
        using var scope = NewDisposeScope();
        return convolution.call(LayerPrecision.Wide(images, convolution.Weight)).MoveToOuterDisposeScope();
    }
}
