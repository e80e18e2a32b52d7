using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What a network is told of the noise level.</summary>
internal static class NetworkTimesteps
{
    /// <summary>[B], Int64 for a whole timestep, float32 for a fraction.</summary>
    public static Tensor Of(NoiseLevel level, Tensor noisy)
    {
        var isWhole = double.IsInteger(level.Timestep);
        using var timestep = isWhole ? ((long)level.Timestep).ToScalar() : level.Timestep.ToScalar();
        return full([noisy.shape[0]], timestep, isWhole ? ScalarType.Int64 : ScalarType.Float32, noisy.device);
    }

    /// <summary>[B], Int64 where all timesteps are whole, float32 otherwise.</summary>
    public static Tensor Of(NoiseLevel[] levels, Device device) => Array.TrueForAll(levels, level => double.IsInteger(level.Timestep))
        ? tensor(Array.ConvertAll(levels, level => (long)level.Timestep), ScalarType.Int64, device)
        : tensor(Array.ConvertAll(levels, level => (float)level.Timestep), ScalarType.Float32, device);
}
