using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Where a sampler's noise comes from. Derive from it to replay recorded noise.</summary>
public abstract class NoiseSource : IDisposable
{
    /// <summary>The next noise of a run: first the start, then one draw for each step that adds noise.</summary>
    /// <param name="shape">[B, …].</param>
    /// <param name="device">Where the noise is needed.</param>
    /// <returns>Standard normal float32 noise, for the caller to dispose.</returns>
    public abstract Tensor Draw(ReadOnlySpan<long> shape, Device device);

    /// <summary>
    /// Noise for the way from one level to another. A source that follows a path gives the path's increment, brought to unit variance,
    /// so that many small steps add up to a large one; by default it is the next <see cref="Draw"/>.
    /// </summary>
    /// <param name="shape">[B, …].</param>
    /// <param name="device">Where the noise is needed.</param>
    /// <param name="clockFrom">Where on the path the way begins, in [0, 1]: 0 is the clean image, 1 pure noise.</param>
    /// <param name="clockTo">Where it ends, in [0, 1].</param>
    /// <returns>Standard normal float32 noise, for the caller to dispose.</returns>
    public virtual Tensor Between(ReadOnlySpan<long> shape, Device device, double clockFrom, double clockTo) => Draw(shape, device);

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees what the source holds; nothing by default.</summary>
    /// <param name="disposing">Always <see langword="true"/>.</param>
    protected virtual void Dispose(bool disposing)
    {
    }
}
