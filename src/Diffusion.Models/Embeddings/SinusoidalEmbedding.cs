using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Timesteps as waves of geometrically growing period: [sin(t·f₀), …, sin(t·f_{d/2−1}), cos(t·f₀), …], with f_i = 10000^(−i/(d/2)) unless options say otherwise.</summary>
/// <remarks>Attention Is All You Need, arXiv:1706.03762, section 3.5, with all sines before all cosines, or after them.</remarks>
public static class SinusoidalEmbedding
{
    private static readonly TimeEmbeddingOptions s_default = new();

    /// <summary>Embeds timesteps.</summary>
    /// <param name="timesteps">[B], any number type; fractions are allowed.</param>
    /// <param name="dimension">d, even, at least 2.</param>
    /// <returns>Float32, [B, d], values in [−1, 1].</returns>
    /// <exception cref="ArgumentException">The timesteps are not a vector, or the dimension is odd.</exception>
    public static Tensor Embed(Tensor timesteps, int dimension) => Embed(timesteps, dimension, s_default);

    /// <summary>Embeds timesteps.</summary>
    /// <param name="timesteps">[B], any number type; fractions are allowed.</param>
    /// <param name="dimension">d, even, at least 2.</param>
    /// <param name="options">The order of the waves, the shift of their frequencies, the longest period; the rest is ignored.</param>
    /// <returns>Float32, [B, d], values in [−1, 1].</returns>
    /// <exception cref="ArgumentException">The timesteps are not a vector, or the dimension is odd.</exception>
    public static Tensor Embed(Tensor timesteps, int dimension, TimeEmbeddingOptions options)
    {
        ArgumentNullException.ThrowIfNull(timesteps);
        ArgumentNullException.ThrowIfNull(options);
        if (timesteps.dim() != 1)
        {
            throw new ArgumentException($"Timesteps must be a vector [B]; the shape is [{string.Join(", ", timesteps.shape)}].", nameof(timesteps));
        }

        if (dimension < 2 || dimension % 2 != 0)
        {
            throw new ArgumentException($"The dimension must be even and at least 2; it is {dimension}.", nameof(dimension));
        }

        using var scope = NewDisposeScope();
        var half = dimension / 2;
        using var end = half.ToScalar();
        using var rate = (-Math.Log(options.MaxPeriod) / (half - options.FrequencyShift)).ToScalar();
        var frequencies = arange(Scalars.Zero, end, Scalars.One, ScalarType.Float64, timesteps.device).mul_(rate).exp_();
        var angles = timesteps.to(ScalarType.Float64).unsqueeze(1) * frequencies; // [B, 1] × [d/2] → [B, d/2], in double: t·f reaches 1000
        Tensor[] waves = options.Order == WaveOrder.SineFirst ? [angles.sin(), angles.cos()] : [angles.cos(), angles.sin()];
        return cat(waves, dim: 1).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }
}
