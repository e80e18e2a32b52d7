namespace Diffusion.Kernels;

/// <summary>
/// Threads that wait for work on tiles: what tiles do is often shorter than what it takes to plan a parallel loop. Threads of the program that compute at the same time share them: each works on
/// its own job, and a thread of the team goes where the fewest are.
/// </summary>
internal static class TileTeam
{
    [ThreadStatic]
    private static bool t_works;

    private static readonly object s_gate = new();
    private static readonly List<TileJob> s_jobs = [];
    private static readonly SemaphoreSlim s_calls = new(0);
    private static int s_workers;
    private static int s_asleep; // those of the workers that nobody has called yet

    /// <summary>Whether this thread is within a piece of work.</summary>
    public static bool Works => t_works;

    /// <summary>How many threads were started so far.</summary>
    internal static int Workers => s_workers;

    /// <summary>Starts a thread: tests let it fail.</summary>
    internal static Action<Thread> Start { get; set; } = static thread => thread.Start();

    /// <summary>Runs pieces of work on this thread and on those of the team that have time.</summary>
    /// <param name="job">The work, of this thread.</param>
    /// <param name="threads">How many threads, this one among them.</param>
    /// <param name="pieces">How many pieces.</param>
    /// <param name="floats">The scratch memory of a piece.</param>
    public static void Run(TileJob job, int threads, int pieces, long floats)
    {
        job.Begin(threads, pieces, floats);
        int called;
        Uninterrupted.Enter(s_gate);
        try
        {
            Grow(threads - 1);
            s_jobs.Add(job);
            called = Math.Min(threads - 1, s_asleep);
            s_asleep -= called;
        }
        finally
        {
            Monitor.Exit(s_gate);
        }

        if (called > 0)
        {
            Uninterrupted.Wait(called, static called => s_calls.Release(called));
        }

        Work(job);
        Uninterrupted.Enter(s_gate);
        s_jobs.Remove(job); // from here on nobody joins
        Monitor.Exit(s_gate);
        job.Leave();
        job.End();
    }

    /// <summary>Starts threads until there are so many, or as many as the system gives: the others do the work.</summary>
    private static void Grow(int workers)
    {
        try
        {
            for (; s_workers < workers; s_workers++)
            {
                Start(new Thread(Serve) { IsBackground = true, Name = nameof(TileTeam) });
            }
        }
        catch (Exception error) when (error is OutOfMemoryException or ThreadStartException)
        {
        }
    }

    private static void Serve()
    {
        while (true)
        {
            while (Next() is { } job)
            {
                Work(job);
                job.Leave();
            }

            Uninterrupted.Wait(s_calls, static calls => calls.Wait());
        }
    }

    /// <summary>The job with the fewest threads, which this one has joined; without one the thread counts as asleep.</summary>
    private static TileJob? Next()
    {
        Uninterrupted.Enter(s_gate);
        TileJob? next = null;
        foreach (var job in s_jobs)
        {
            if (job.IsOpen && (next is null || job.Busy < next.Busy))
            {
                next = job;
            }
        }

        if (next is null)
        {
            s_asleep++;
        }

        next?.Join();
        Monitor.Exit(s_gate);
        return next;
    }

    private static void Work(TileJob job)
    {
        t_works = true;
        job.Work();
        t_works = false;
    }
}
