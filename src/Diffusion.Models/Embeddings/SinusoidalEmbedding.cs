using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Timesteps as waves of geometrically growing period: [sin(t·f₀), …, sin(t·f_{d/2−1}), cos(t·f₀), …], with f_i = 10000^(−i/(d/2)) unless options say otherwise.</summary>
/// <remarks>Attention Is All You Need, arXiv:1706.03762, section 3.5, with all sines before all cosines, or after them.</remarks>
internal static class SinusoidalEmbedding
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

        return timesteps.device_type == DeviceType.CPU && !timesteps.requires_grad ? OnCpu(timesteps, dimension, options) : ByOperations(timesteps, dimension, options);
    }

    /// <summary>The same without a dozen tensors, for timesteps that nobody differentiates by.</summary>
    private static Tensor OnCpu(Tensor timesteps, int dimension, TimeEmbeddingOptions options)
    {
        var (count, half) = ((int)timesteps.size(0), dimension / 2);
        var embedding = empty([count, dimension], dtype: ScalarType.Float32);
        using var dense = empty([count], dtype: ScalarType.Float64);
        using var copied = dense.copy_(timesteps);
        var times = MemoryMarshal.Cast<byte, double>(dense.bytes);
        var values = MemoryMarshal.Cast<byte, float>(embedding.bytes);
        var (sines, cosines) = options.Order == WaveOrder.SineFirst ? (0, half) : (half, 0);
        var rate = Rate(half, options);
        for (var i = 0; i < half; i++)
        {
            var frequency = Math.Exp(i * rate);
            for (var row = 0; row < count; row++)
            {
                var (sine, cosine) = Math.SinCos(times[row] * frequency); // in double: t·f reaches 1000
                var wave = values.Slice(row * dimension, dimension);
                (wave[sines + i], wave[cosines + i]) = ((float)sine, (float)cosine);
            }
        }

        return embedding;
    }

    private static Tensor ByOperations(Tensor timesteps, int dimension, TimeEmbeddingOptions options)
    {
        using var scope = NewDisposeScope();
        var half = dimension / 2;
        using var end = half.ToScalar();
        using var rate = Rate(half, options).ToScalar();
        var frequencies = arange(Scalars.Zero, end, Scalars.One, ScalarType.Float64, timesteps.device).mul_(rate).exp_();
        var angles = timesteps.to(ScalarType.Float64).unsqueeze(1) * frequencies; // [B, 1] × [d/2] → [B, d/2], in double: t·f reaches 1000
        Tensor[] waves = options.Order == WaveOrder.SineFirst ? [angles.sin(), angles.cos()] : [angles.cos(), angles.sin()];
        return cat(waves, dim: 1).to(ScalarType.Float32).MoveToOuterDisposeScope();
    }

    /// <summary>The logarithm of what a frequency is multiplied by to give the next.</summary>
    private static double Rate(int half, TimeEmbeddingOptions options) => -Math.Log(options.MaxPeriod) / (half - options.FrequencyShift);
}
