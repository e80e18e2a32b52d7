using System.Runtime.InteropServices;

namespace Diffusion.Models;

/// <summary>Memory of one thread, aligned to cache lines and cut into pieces.</summary>
internal sealed unsafe class TileScratch : IDisposable
{
    private const int Line = 64;
    private readonly float* _start;
    private float* _next;

    /// <param name="floats">The sum of all pieces, each rounded up to a multiple of 16.</param>
    public TileScratch(long floats) => _next = _start = (float*)NativeMemory.AlignedAlloc((nuint)(floats * sizeof(float)), Line);

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

    public void Dispose() => NativeMemory.AlignedFree(_start);
}
