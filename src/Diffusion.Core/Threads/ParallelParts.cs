namespace Diffusion;

/// <summary>
/// Parts of work on the thread that asks and on those of the pool that have time. Unlike that of <see cref="Parallel"/>, the wait for the others does not end with <see cref="Thread.Interrupt"/>: who left it
/// would free memory that they still write.
/// </summary>
// CA1001: the event has no handle of the system, as nobody asks for its WaitHandle.
#pragma warning disable CA1001
internal sealed class ParallelParts : IThreadPoolWorkItem
#pragma warning restore CA1001
{
    private readonly ManualResetEventSlim _finished = new();
    private readonly Action<int> _work;
    private readonly int _parts;
    private Exception? _error;
    private int _next;
    private int _busy = 1; // the thread that asks

    private ParallelParts(int parts, Action<int> work) => (_parts, _work) = (parts, work);

    /// <summary>Does every part; where one throws, those that no thread has begun are left out.</summary>
    /// <param name="threads">How many threads may work, the one that calls among them.</param>
    /// <param name="parts">How many parts there are.</param>
    /// <param name="work">Does the part of a number.</param>
    /// <exception cref="AggregateException">A part threw, with what it threw.</exception>
    public static void Run(int threads, int parts, Action<int> work)
    {
        var all = new ParallelParts(parts, work);
        for (var others = Math.Min(threads, parts) - 1; others > 0; others--)
        {
            ThreadPool.UnsafeQueueUserWorkItem(all, preferLocal: false);
        }

        all.Work();
        if (Interlocked.Decrement(ref all._busy) > 0)
        {
            Uninterrupted.Wait(all._finished, static finished => finished.Wait());
        }

        if (all._error is { } error)
        {
            throw new AggregateException(error);
        }
    }

    /// <summary>A thread of the pool has time.</summary>
    void IThreadPoolWorkItem.Execute()
    {
        for (var busy = Volatile.Read(ref _busy); busy > 0;) // 0: the work is over, and its caller has left
        {
            var before = Interlocked.CompareExchange(ref _busy, busy + 1, busy);
            if (before != busy)
            {
                busy = before;
                continue;
            }

            Work();
            if (Interlocked.Decrement(ref _busy) == 0)
            {
                _finished.Set();
            }

            return;
        }
    }

    private void Work()
    {
        try
        {
            for (var part = Interlocked.Increment(ref _next); part <= _parts; part = Interlocked.Increment(ref _next))
            {
                _work(part - 1);
            }
        }
        catch (Exception error)
        {
            Volatile.Write(ref _next, _parts);
            Interlocked.CompareExchange(ref _error, error, null);
        }
    }
}
