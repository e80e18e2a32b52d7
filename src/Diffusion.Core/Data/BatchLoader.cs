using System.Diagnostics;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Reads the batches of a run, ahead of the one who needs them, on a thread of its own. The batch of a step is a function of the seed and the
/// step; with or without reading ahead the images are the same. For one caller at a time. While it reads it locks the source:
/// others read from it under the same lock.
/// </summary>
internal sealed class BatchLoader : IDisposable
{
    private readonly IImageSource _images;
    private readonly BatchOrder _order;
    private readonly long _seed;
    private readonly int _steps;
    private readonly int _prefetch;
    private readonly bool _pin;
    private ReadAhead? _ahead;
    private int _next;
    private bool _disposed;

    /// <summary>Makes a loader; nothing is read yet.</summary>
    /// <param name="images">The images. The caller keeps owning them, and disposes them after the loader.</param>
    /// <param name="batchSize">Images a step, at least 1.</param>
    /// <param name="seed">The seed of the order of the images and of what varies in them.</param>
    /// <param name="steps">The steps of the run, at least 1: nothing is read ahead for steps beyond.</param>
    /// <param name="options">How many batches ahead, in which order; the defaults if <see langword="null"/>.</param>
    /// <param name="device">Where the batches will go; for a GPU they are in pinned memory. The CPU if <see langword="null"/>.</param>
    /// <exception cref="ArgumentException">The options have mistakes, or a number is outside its range.</exception>
    /// <exception cref="InvalidOperationException">A class-balanced order is asked of images without <see cref="IImageSource.Labels"/>.</exception>
    public BatchLoader(IImageSource images, int batchSize, long seed, int steps, LoaderOptions? options = null, Device? device = null)
        : this(images, Order(images, batchSize, seed, options ?? new LoaderOptions()), seed, steps, (options ?? new LoaderOptions()).Prefetch, device ?? CPU) =>
        ArgumentOutOfRangeException.ThrowIfLessThan(steps, 1);

    internal BatchLoader(IImageSource images, BatchOrder order, long seed, int steps, int prefetch, Device device) =>
        (_images, _order, _seed, _steps, _prefetch, _pin) = (images, order, seed, steps, prefetch, device.type == DeviceType.CUDA);

    /// <summary>How long <see cref="Read"/> has kept its callers waiting, in all.</summary>
    public TimeSpan Waited { get; private set; }

    /// <summary>The batch of a step. Steps asked for in order are read ahead; any other is read from there on.</summary>
    /// <param name="step">The step, counted from 0.</param>
    /// <returns>The batch, on the CPU; the caller disposes it. Its tensors are in no dispose scope.</returns>
    /// <exception cref="ArgumentOutOfRangeException">There is no such step.</exception>
    /// <exception cref="ObjectDisposedException">The loader was disposed.</exception>
    /// <exception cref="IOException">The source could not read an image of this step. Whatever else it threw for this step comes out, too.</exception>
    public ImageBatch Read(int step)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        ArgumentOutOfRangeException.ThrowIfNegative(step);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(step, _steps);
        var start = Stopwatch.GetTimestamp();
        try
        {
            return _prefetch == 0 ? Load(step) : Ahead(step).Take();
        }
        catch
        {
            Stop(); // after a mistake the step is read anew where it is asked for again
            throw;
        }
        finally
        {
            Waited += Stopwatch.GetElapsedTime(start);
        }
    }

    /// <summary>Waits for the batch that is being read, if any, and frees all that were read ahead.</summary>
    public void Dispose()
    {
        _disposed = true;
        Stop();
    }

    private static BatchOrder Order(IImageSource images, int batchSize, long seed, LoaderOptions options)
    {
        ArgumentNullException.ThrowIfNull(images);
        ArgumentOutOfRangeException.ThrowIfLessThan(batchSize, 1);
        options.ThrowIfInvalid();
        return BatchOrder.Create(images, batchSize, seed, options.Order);
    }

    private ReadAhead Ahead(int step)
    {
        if (step != _next)
        {
            Stop();
        }

        _next = step + 1;
        return _ahead ??= new ReadAhead(Load, step, _steps, _prefetch);
    }

    private void Stop()
    {
        _ahead?.Dispose();
        _ahead = null;
    }

    private ImageBatch Load(int step)
    {
        var indices = _order.Indices(step);
        var first = (long)step * indices.Length;
        var seeds = Array.ConvertAll(indices, _ => unchecked((long)SeedMixer.Mix(_seed, SeedMixer.Purpose.Augmentation, first++)));
        ImageBatch batch;
        lock (_images) // an evaluation may read from the same source
        {
            batch = _images.Read(indices, seeds);
        }

        try
        {
            SourceCheck.Values(_images, batch, indices);
        }
        catch
        {
            batch.Dispose();
            throw;
        }

        batch.Select(static tensor => tensor.DetachFromDisposeScope());
        return _pin ? Pinned(batch) : batch;
    }

    /// <summary>In memory that a GPU copies from by itself.</summary>
    private static ImageBatch Pinned(ImageBatch batch)
    {
        using (batch)
        {
            return batch.Select(static tensor => tensor.pin_memory().DetachFromDisposeScope());
        }
    }
}
