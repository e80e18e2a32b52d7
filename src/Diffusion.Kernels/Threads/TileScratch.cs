using System.Runtime.InteropServices;

namespace Diffusion.Kernels;

/// <summary>Memory of one thread, aligned to cache lines and cut into pieces. It is used again: memory that is fresh from the system costs more than what tiles do in it.</summary>
internal sealed unsafe class TileScratch : IDisposable
{
    private const int Line = 64;
    private const long Most = 1 << 24; // what is larger is given back at once, in floats

    private static readonly Stack<TileScratch> s_free = new();

    private readonly float* _start;
    private readonly long _floats;
    private float* _next;

    private TileScratch(long floats)
    {
        _floats = floats;
        _next = _start = (float*)NativeMemory.AlignedAlloc((nuint)(floats * sizeof(float)), Line);
    }

    /// <summary>Memory for so many floats.</summary>
    /// <param name="floats">The sum of all pieces, each rounded up to a multiple of 16.</param>
    public static TileScratch Rent(long floats)
    {
        TileScratch? free;
        lock (s_free)
        {
            s_free.TryPop(out free);
        }

        if (free is null || free._floats >= floats)
        {
            free?.Reset();
            return free ?? new TileScratch(floats);
        }

        free.Free();
        return new TileScratch(floats);
    }

    /// <summary>The length of a piece in memory.</summary>
    public static long Rounded(long floats) => (floats + (Line / sizeof(float)) - 1) / (Line / sizeof(float)) * (Line / sizeof(float));

    /// <summary>The next piece. What it holds is undefined.</summary>
    public float* Take(long floats)
    {
        var piece = _next;
        _next += Rounded(floats);
        return piece;
    }

    /// <summary>The next piece, as words.</summary>
    public uint* TakeWords(long words) => (uint*)Take(words);

    /// <summary>Begins again with the first piece.</summary>
    public void Reset() => _next = _start;

    /// <summary>Gives the memory to the next that needs some.</summary>
    public void Dispose()
    {
        lock (s_free)
        {
            if (_floats <= Most && s_free.Count < 2 * Environment.ProcessorCount)
            {
                s_free.Push(this);
                return;
            }
        }

        Free();
    }

    private void Free() => NativeMemory.AlignedFree(_start);
}
