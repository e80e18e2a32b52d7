using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>The two ends of a network, which compute in the type of their weights in every precision: bfloat16 cannot tell timesteps apart, nor should it round what leaves.</summary>
internal static class NetworkEnds
{
    /// <summary>The time embedding: [B] → [B, time dimension].</summary>
    public static Tensor Time(TimeEmbedding embedding, Tensor timesteps)
    {
        using var precision = MixedPrecision.Use(ComputePrecision.Float32);
        return embedding.call(timesteps);
    }

    /// <summary>The last convolution: [B, C, H, W] → [B, C out, H, W].</summary>
    public static Tensor Last(Conv2d convolution, Tensor images)
    {
        using var precision = MixedPrecision.Use(ComputePrecision.Float32);
        using var scope = NewDisposeScope();
        return convolution.call(LayerPrecision.Wide(images, convolution.Weight)).MoveToOuterDisposeScope();
    }
}
