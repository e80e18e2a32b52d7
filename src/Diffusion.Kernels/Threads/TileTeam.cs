using System.Runtime.ExceptionServices;

namespace Diffusion.Kernels;

/// <summary>Threads that wait for work on tiles: what tiles do is often shorter than what it takes to plan a parallel loop.</summary>
internal static class TileTeam
{
    [ThreadStatic]
    private static bool t_works;

    private static readonly SemaphoreSlim s_calls = new(0);
    private static readonly ManualResetEventSlim s_finished = new();
    private static Action<int, TileScratch> s_work = static (_, _) => { };
    private static Exception? s_error;
    private static long s_floats;
    private static int s_workers;
    private static int s_pieces;
    private static int s_next;
    private static int s_busy;

    /// <summary>Whether this thread is within a piece of work.</summary>
    public static bool Works => t_works;

    /// <summary>Runs pieces of work on this thread and others; one run at a time.</summary>
    /// <param name="threads">How many threads, this one among them.</param>
    /// <param name="pieces">How many pieces.</param>
    /// <param name="floats">The scratch memory of a piece.</param>
    /// <param name="work">Does the piece of a number.</param>
    public static void Run(int threads, int pieces, long floats, Action<int, TileScratch> work)
    {
        for (; s_workers < threads - 1; s_workers++)
        {
            new Thread(Wait) { IsBackground = true, Name = nameof(TileTeam) }.Start();
        }

        (s_work, s_pieces, s_floats, s_error) = (work, pieces, floats, null);
        s_finished.Reset();
        Volatile.Write(ref s_next, 0);
        Volatile.Write(ref s_busy, threads); // this thread and those that are called
        s_calls.Release(threads - 1);
        Work();
        while (s_calls.Wait(0)) // nothing is left for a thread that has not woken up yet
        {
            Leave();
        }

        Leave();
        s_finished.Wait();
        s_work = static (_, _) => { };
        if (s_error is { } error)
        {
            ExceptionDispatchInfo.Throw(error);
        }
    }

    private static void Wait()
    {
        while (true)
        {
            s_calls.Wait();
            Work();
            Leave();
        }
    }

    private static void Work()
    {
        t_works = true;
        try
        {
            using var scratch = TileScratch.Rent(s_floats);
            for (var piece = Interlocked.Increment(ref s_next); piece <= s_pieces; piece = Interlocked.Increment(ref s_next))
            {
                scratch.Reset();
                s_work(piece - 1, scratch);
            }
        }
        catch (Exception error)
        {
            Volatile.Write(ref s_next, s_pieces); // the others stop after their pieces
            Interlocked.CompareExchange(ref s_error, error, null);
        }

        t_works = false;
    }

    private static void Leave()
    {
        if (Interlocked.Decrement(ref s_busy) == 0)
        {
            s_finished.Set();
        }
    }
}
