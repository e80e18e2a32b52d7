using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Work on tiles in pieces that do not depend on each other, on as many threads as libtorch uses.</summary>
internal static class TileWork
{
    private const int PiecesOfThread = 2;

    private static readonly object s_team = new();

    /// <summary>Into how many parts each of too few pieces is cut, so that every thread has some.</summary>
    /// <param name="pieces">How many there are.</param>
    /// <param name="units">What a piece consists of: each part gets as many.</param>
    public static int Parts(int pieces, int units)
    {
        var parts = Math.Clamp(((PiecesOfThread * get_num_threads()) + pieces - 1) / pieces, 1, units);
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
    public static void Run(int pieces, long floats, Action<int, TileScratch> work)
    {
        var threads = Math.Min(get_num_threads(), pieces);
        if (threads > 1 && !Monitor.IsEntered(s_team) && Monitor.TryEnter(s_team)) // who finds the team at work, within a piece or on another thread of the program, works alone
        {
            try
            {
                TileTeam.Run(threads, pieces, floats, work);
            }
            finally
            {
                Monitor.Exit(s_team);
            }

            return;
        }

        using var scratch = TileScratch.Rent(floats);
        for (var piece = 0; piece < pieces; piece++)
        {
            scratch.Reset();
            work(piece, scratch);
        }
    }
}
