using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Work on tiles in pieces that do not depend on each other, on as many threads as libtorch uses.</summary>
internal static class TileWork
{
    /// <summary>Runs the pieces.</summary>
    /// <param name="pieces">How many there are.</param>
    /// <param name="floats">The memory that a piece needs, which it may take from the scratch.</param>
    /// <param name="work">Does the piece of a number.</param>
    public static void Run(int pieces, long floats, Action<int, TileScratch> work)
    {
        var options = new ParallelOptions { MaxDegreeOfParallelism = get_num_threads() };
        Parallel.For(
            0,
            pieces,
            options,
            () => TileScratch.Rent(floats),
            (piece, _, scratch) =>
            {
                scratch.Reset();
                work(piece, scratch);
                return scratch;
            },
            scratch => scratch.Dispose());
    }
}
