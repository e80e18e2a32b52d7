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

    /// <summary>
    /// The noise of a step between two times of a run's clock, for samplers that follow a stochastic differential equation.
    /// By default the next draw, whatever the times; <see cref="BrownianNoise"/> gives the increment of one path instead.
    /// </summary>
    /// <param name="shape">[B, …].</param>
    /// <param name="device">Where the noise is needed.</param>
    /// <param name="clockFrom">Where the step starts, in [0, 1]: 0 at the clean image, 1 at pure noise.</param>
    /// <param name="clockTo">Where the step ends, in [0, 1], another time than <paramref name="clockFrom"/>.</param>
    /// <returns>Standard normal float32 noise, for the caller to dispose.</returns>
    public virtual Tensor Between(ReadOnlySpan<long> shape, Device device, double clockFrom, double clockTo) => Draw(shape, device);
}
