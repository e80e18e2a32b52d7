using System.Runtime.InteropServices;

namespace Diffusion.Kernels;

/// <summary>Memory of one thread, aligned to cache lines and cut into pieces. It is used again: memory that is fresh from the system costs more than what tiles do in it.</summary>
internal sealed unsafe class TileScratch : IDisposable
{
    private const int Line = 64;
    private const int FloatsOfLine = Line / sizeof(float);
    private const long Max = 1 << 24; // what is larger is given back at once, in floats
    private const uint Mark = 0xFFC0FFEE; // of guards; as a float it is no number
    private const int Guards = 256; // what there is room for

    private static readonly List<TileScratch> s_free = []; // by size, the smallest first

    private readonly float* _start;
    private readonly long _floats;
    private readonly List<nint> _guards = [];
    private float* _next;
    private long _asked;
    private long _taken;

    private TileScratch(long floats)
    {
        _floats = floats;
        _next = _start = (float*)NativeMemory.AlignedAlloc((nuint)(floats * sizeof(float)), Line);
    }

    /// <summary>Whether a line of marks stands before and after each piece, which are looked at when the pieces end: for tests.</summary>
    internal static bool IsGuarded { get; set; }

    /// <summary>Memory for so many floats.</summary>
    /// <param name="floats">The sum of all pieces, each rounded up to a multiple of 16.</param>
    public static TileScratch Rent(long floats)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(floats);
        var needed = Rounded(floats) + (IsGuarded ? (Guards + 1) * FloatsOfLine : 0);
        var free = TakeFree(needed);
        if (free is not null && free._floats < needed)
        {
            free.Free();
            free = null;
        }

        free ??= new TileScratch(needed);
        free._asked = Rounded(floats);
        free.Reset();
        return free;
    }

    /// <summary>The length of a piece in memory.</summary>
    public static long Rounded(long floats) => (floats + FloatsOfLine - 1) / FloatsOfLine * FloatsOfLine;

    /// <summary>The next piece. What it holds is undefined.</summary>
    /// <exception cref="InvalidOperationException">The pieces are longer than what was rented.</exception>
    public float* Take(long floats)
    {
        var length = Rounded(floats);
        if (floats < 0 || length > _asked - _taken)
        {
            throw new InvalidOperationException($"Scratch memory of {_asked} floats has {_asked - _taken} left; {floats} were asked for.");
        }

        _taken += length;
        var piece = _next;
        _next += length;
        if (IsGuarded)
        {
            new Span<uint>(piece, (int)length).Fill(Mark); // what is read before it is written shows
            Guard();
        }

        return piece;
    }

    /// <summary>The next piece, as words.</summary>
    public uint* TakeWords(long words) => (uint*)Take(words);

    /// <summary>Begins again with the first piece.</summary>
    /// <exception cref="InvalidOperationException">Guards are on, and something was written beside a piece.</exception>
    public void Reset()
    {
        CheckGuards();
        _next = _start;
        _taken = 0;
        if (IsGuarded)
        {
            Guard();
        }
    }

    /// <summary>Gives the memory to the next that needs some.</summary>
    public void Dispose()
    {
        CheckGuards();
        if (_floats > Max)
        {
            Free();
            return;
        }

        TileScratch? surplus = null;
        Uninterrupted.Enter(s_free);
        try
        {
            var i = 0;
            while (i < s_free.Count && s_free[i]._floats < _floats)
            {
                i++;
            }

            s_free.Insert(i, this);
            if (s_free.Count > 2 * Environment.ProcessorCount)
            {
                surplus = s_free[0];
                s_free.RemoveAt(0);
            }
        }
        finally
        {
            Monitor.Exit(s_free);
        }

        surplus?.Free();
    }

    /// <summary>The smallest free memory that is large enough, so that larger ones stay for those who need them; else the largest; <see langword="null"/> where none is free.</summary>
    private static TileScratch? TakeFree(long floats)
    {
        Uninterrupted.Enter(s_free);
        try
        {
            var i = 0;
            while (i < s_free.Count - 1 && s_free[i]._floats < floats)
            {
                i++;
            }

            if (i == s_free.Count)
            {
                return null;
            }

            var free = s_free[i];
            s_free.RemoveAt(i);
            return free;
        }
        finally
        {
            Monitor.Exit(s_free);
        }
    }

    /// <summary>Marks a line.</summary>
    private void Guard()
    {
        if (_next + FloatsOfLine > _start + _floats)
        {
            throw new InvalidOperationException($"There is no room for more than {Guards} guards.");
        }

        new Span<uint>(_next, FloatsOfLine).Fill(Mark);
        _guards.Add((nint)_next);
        _next += FloatsOfLine;
    }

    private void CheckGuards()
    {
        for (var i = 0; i < _guards.Count; i++)
        {
            var offset = new Span<uint>((void*)_guards[i], FloatsOfLine).IndexOfAnyExcept(Mark);
            if (offset >= 0)
            {
                _guards.Clear();
                throw new InvalidOperationException($"Something was written {offset} floats behind piece {i} of {_asked} floats of scratch memory (piece 0 is the beginning).");
            }
        }

        _guards.Clear();
    }

    private void Free() => NativeMemory.AlignedFree(_start);
}
