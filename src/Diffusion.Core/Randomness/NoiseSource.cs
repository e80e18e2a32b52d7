using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Where a sampler's noise comes from. Derive from it to replay recorded noise.</summary>
public abstract class NoiseSource : IDisposable
{
    /// <summary>
    /// Independent draws in which image <c>i</c> of a run depends on the seed and <c>i</c> only: the noise is the same to the bit whether the images are made
    /// one by one or 64 at a time. Drawn on the CPU, so that it is also the same on every device.
    /// </summary>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="firstImage">The number, within the run, of the first image of the batch; 0 by default.</param>
    /// <returns>The source, at its first draw.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="firstImage"/> is negative.</exception>
    public static NoiseSource Seeded(long seed, long firstImage = 0) => new SeededNoise(seed, firstImage);

    /// <summary>
    /// Noise that follows a Brownian path, one for every image: the noise between two times is (W(to) − W(from))/√|to − from|. The same run with more steps follows
    /// the same path and comes closer to the same image. Image <c>i</c> depends on the seed and <c>i</c> only, to the bit, whatever the batch.
    /// </summary>
    /// <remarks>Scalable Gradients for Stochastic Differential Equations, arXiv:2001.01328. Increments have the right law between times at least 2⁻²⁴ apart; closer ones are an <see cref="ArgumentException"/>.</remarks>
    /// <param name="seed">The seed of the run.</param>
    /// <param name="firstImage">The number, within the run, of the first image of the batch; 0 by default.</param>
    /// <returns>The source; its <see cref="Draw"/>, the start of a run, is that of <see cref="Seeded"/> and independent of the path.</returns>
    /// <exception cref="ArgumentOutOfRangeException"><paramref name="firstImage"/> is negative.</exception>
    public static NoiseSource Brownian(long seed, long firstImage = 0) => new BrownianNoise(seed, firstImage);
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
