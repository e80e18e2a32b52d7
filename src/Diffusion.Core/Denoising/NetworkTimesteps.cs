using static TorchSharp.torch;

namespace Diffusion;

/// <summary>What a network is told of the noise level.</summary>
internal static class NetworkTimesteps
{
    /// <summary>[B], Int64 for a whole timestep, float32 for a fraction.</summary>
    public static Tensor Of(NoiseLevel level, Tensor noisy) => double.IsInteger(level.Timestep)
        ? full([noisy.shape[0]], (long)level.Timestep, ScalarType.Int64, noisy.device)
        : full([noisy.shape[0]], level.Timestep, ScalarType.Float32, noisy.device);
}
