using static TorchSharp.torch;

namespace Diffusion.Kernels;

/// <summary>Work on tiles in pieces that do not depend on each other, on as many threads as libtorch uses.</summary>
internal static class TileWork
{
    private const int PiecesOfThread = 2;

    /// <summary>The threads that work would have now: those of libtorch, or one within a piece of other work.</summary>
    public static int Threads => TileTeam.Works ? 1 : get_num_threads();

    /// <summary>How many pieces of work keep all threads busy to the end.</summary>
    public static int Wanted => Threads is > 1 and var threads ? PiecesOfThread * threads : 1;

    /// <summary>Into how many parts each of too few pieces is cut, so that every thread has some.</summary>
    /// <param name="pieces">How many there are.</param>
    /// <param name="units">What a piece consists of: each part gets as many.</param>
    public static int Parts(int pieces, int units)
    {
        var parts = Math.Clamp((Wanted + pieces - 1) / pieces, 1, units);
        while (units % parts != 0)
        {
            parts--;
        }

        return parts;
    }

    /// <summary>Runs the pieces.</summary>
    /// <param name="pieces">How many there are.</param>
    /// <param name="floats">The memory that a piece needs, which it may take from the scratch.</param>
    /// <param name="work">Does the piece of a number.</param>
    public static void Run(int pieces, long floats, Action<int, TileScratch> work) => Run(pieces, floats, new Lambda(work));

    /// <summary>Runs the pieces.</summary>
    /// <param name="pieces">How many there are.</param>
    /// <param name="floats">The memory that a piece needs, which it may take from the scratch.</param>
    /// <param name="work">Does the pieces.</param>
    public static void Run<TWork>(int pieces, long floats, TWork work)
        where TWork : struct, ITileWork
    {
        var threads = Math.Min(Threads, pieces);
        if (threads > 1)
        {
            var job = Job<TWork>.OfThread;
            job.Pieces = work;
            try
            {
                TileTeam.Run(job, threads, pieces, floats);
            }
            finally
            {
                job.Pieces = default;
            }

            return;
        }

        using var scratch = TileScratch.Rent(floats);
        for (var piece = 0; piece < pieces; piece++)
        {
            scratch.Reset();
            work.Do(piece, scratch);
        }
    }

    /// <summary>What the team works on for a thread, which does one thing at a time: within a piece it works alone.</summary>
    private sealed class Job<TWork> : TileJob
        where TWork : struct, ITileWork
    {
        [ThreadStatic]
        private static Job<TWork>? t_job;

        public static Job<TWork> OfThread => t_job ??= new();

        public TWork Pieces { get; set; }

        protected override void Do(int piece, TileScratch scratch) => Pieces.Do(piece, scratch);
    }

    private readonly struct Lambda(Action<int, TileScratch> work) : ITileWork
    {
        public void Do(int piece, TileScratch scratch) => work(piece, scratch);
    }
}
