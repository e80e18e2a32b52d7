using System.Runtime.ExceptionServices;

namespace Diffusion.Kernels;

/// <summary>Pieces of work that a <see cref="TileTeam"/> does for one thread of the program, which has it for itself and uses it again.</summary>
// CA1001: the event has no handle of the system, as nobody asks for its WaitHandle.
#pragma warning disable CA1001
internal abstract class TileJob
#pragma warning restore CA1001
{
    private readonly ManualResetEventSlim _finished = new();
    private Exception? _error;
    private long _floats;
    private int _threads;
    private int _pieces;
    private int _next;
    private int _busy;

    /// <summary>How many threads work on it.</summary>
    public int Busy => Volatile.Read(ref _busy);

    /// <summary>Whether another thread would find something to do.</summary>
    public bool IsOpen => Busy < _threads && Volatile.Read(ref _next) < _pieces;

    /// <summary>Begins, with the thread that calls.</summary>
    /// <param name="threads">How many may work on it, that one among them.</param>
    /// <param name="pieces">How many pieces there are.</param>
    /// <param name="floats">The scratch memory of a piece.</param>
    public void Begin(int threads, int pieces, long floats)
    {
        (_threads, _pieces, _floats, _error) = (threads, pieces, floats, null);
        _finished.Reset();
        Volatile.Write(ref _busy, 1);
        Volatile.Write(ref _next, 0);
    }

    /// <summary>One more thread works on it.</summary>
    public void Join() => Interlocked.Increment(ref _busy);

    /// <summary>Does pieces until there are none left. What one throws is kept for <see cref="End"/>; the others then stop after their pieces.</summary>
    public void Work()
    {
        try
        {
            using var scratch = TileScratch.Rent(_floats);
            for (var piece = Interlocked.Increment(ref _next); piece <= _pieces; piece = Interlocked.Increment(ref _next))
            {
                scratch.Reset();
                Do(piece - 1, scratch);
            }
        }
        catch (Exception error)
        {
            Volatile.Write(ref _next, _pieces);
            Interlocked.CompareExchange(ref _error, error, null);
        }
    }

    /// <summary>A thread is done with it.</summary>
    public void Leave()
    {
        if (Interlocked.Decrement(ref _busy) == 0)
        {
            _finished.Set();
        }
    }

    /// <summary>Waits until every thread that joined has left, and throws what a piece threw.</summary>
    public void End()
    {
        Uninterrupted.Wait(_finished, static finished => finished.Wait());
        if (_error is { } error)
        {
            _error = null;
            ExceptionDispatchInfo.Throw(error);
        }
    }

    /// <summary>Does a piece.</summary>
    protected abstract void Do(int piece, TileScratch scratch);
}
