using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Where a sampler's noise comes from. Derive from it to replay recorded noise.</summary>
public abstract class NoiseSource
{
    /// <summary>The next noise of a run: first the start, then one draw for each step that adds noise.</summary>
    /// <param name="shape">[B, …].</param>
    /// <param name="device">Where the noise is needed.</param>
    /// <returns>Standard normal float32 noise, for the caller to dispose.</returns>
    public abstract Tensor Draw(ReadOnlySpan<long> shape, Device device);
}
