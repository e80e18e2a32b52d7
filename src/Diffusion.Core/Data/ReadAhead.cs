using System.Collections.Concurrent;
using System.Runtime.ExceptionServices;

namespace Diffusion;

/// <summary>A thread that loads the batches of consecutive steps until so many wait to be taken, and goes on as they are taken.</summary>
internal sealed class ReadAhead : IDisposable
{
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _room;
    private readonly BlockingCollection<Loaded> _loaded = [];
    private readonly Thread _thread;

    /// <summary>Starts loading.</summary>
    /// <param name="load">Loads the batch of a step; called by the thread only, one step after another.</param>
    /// <param name="from">The first step.</param>
    /// <param name="to">The end, itself not loaded.</param>
    /// <param name="max">How many batches at most are loaded and not taken, at least 1.</param>
    public ReadAhead(Func<int, ImageBatch> load, int from, int to, int max)
    {
        _room = new SemaphoreSlim(max);
        _thread = new Thread(() => Run(load, from, to)) { IsBackground = true, Name = "Diffusion: reading images ahead" };
        _thread.Start();
    }

    /// <summary>The next batch, as soon as it is there.</summary>
    /// <returns>The batch, for the caller to dispose.</returns>
    public ImageBatch Take()
    {
        var (batch, error) = _loaded.Take();
        error?.Throw();
        _room.Release();
        return batch!;
    }

    /// <summary>Stops after the batch that is being loaded and frees what nobody has taken.</summary>
    public void Dispose()
    {
        _stop.Cancel();
        _thread.Join();
        foreach (var (batch, _) in _loaded)
        {
            batch?.Dispose();
        }

        _loaded.Dispose();
        _room.Dispose();
        _stop.Dispose();
    }

    private void Run(Func<int, ImageBatch> load, int from, int to)
    {
        for (var step = from; step < to && HasRoom(); step++)
        {
            var loaded = Load(load, step);
            _loaded.Add(loaded);
            if (loaded.Error is not null)
            {
                return;
            }
        }
    }

    private bool HasRoom()
    {
        try
        {
            _room.Wait(_stop.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private static Loaded Load(Func<int, ImageBatch> load, int step)
    {
        try
        {
            return new Loaded(load(step), null);
        }
#pragma warning disable CA1031 // whatever a source throws belongs to the one who takes the batch
        catch (Exception e)
#pragma warning restore CA1031
        {
            return new Loaded(null, ExceptionDispatchInfo.Capture(e));
        }
    }

    private sealed record Loaded(ImageBatch? Batch, ExceptionDispatchInfo? Error);
}
