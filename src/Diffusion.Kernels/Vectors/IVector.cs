namespace Diffusion.Kernels;

/// <summary>
/// A vector of floats in a register: <see cref="Float32x16"/> (AVX-512) or <see cref="Float32x8"/> (AVX2 with FMA). Loops over vectors are written once and compiled for each. In memory values are floats
/// or, as <see cref="ushort"/>, bfloat16, which are widened when they are read and rounded when they are written, ties up.
/// </summary>
/// <remarks>A mask is a vector whose lanes have all bits or none.</remarks>
internal unsafe interface IVector<TSelf>
    where TSelf : unmanaged, IVector<TSelf>
{
    /// <summary>The values in a vector.</summary>
    static abstract int Count { get; }

    /// <summary>A value in every lane.</summary>
    static abstract TSelf Create(float value);

    /// <summary>Reads values.</summary>
    static abstract TSelf Load(float* place);

    /// <summary>Reads values in bfloat16.</summary>
    static abstract TSelf Load(ushort* place);

    /// <summary>Reads bytes as numbers.</summary>
    static abstract TSelf Load(byte* place);

    /// <summary>Writes values.</summary>
    static abstract void Store(TSelf values, float* place);

    /// <summary>Writes values in bfloat16.</summary>
    static abstract void Store(TSelf values, ushort* place);

    /// <summary>The mask of the first lanes: none, some or all.</summary>
    static abstract TSelf First(int count);

    /// <summary>The values under a mask of <see cref="First"/>, and zeros; nothing else is read.</summary>
    static abstract TSelf Load(TSelf mask, float* place);

    /// <summary>The same of values in bfloat16.</summary>
    static abstract TSelf Load(TSelf mask, ushort* place);

    /// <summary>The same of bytes, as numbers.</summary>
    static abstract TSelf Load(TSelf mask, byte* place);

    /// <summary>Writes the values under a mask of <see cref="First"/>.</summary>
    static abstract void Store(TSelf mask, TSelf values, float* place);

    /// <summary>The same in bfloat16.</summary>
    static abstract void Store(TSelf mask, TSelf values, ushort* place);

    /// <summary>Writes words of two values in bfloat16, the first in the lower half.</summary>
    static abstract void StorePairs(TSelf low, TSelf high, uint* place);

    static abstract TSelf operator +(TSelf left, TSelf right);

    static abstract TSelf operator -(TSelf left, TSelf right);

    static abstract TSelf operator *(TSelf left, TSelf right);

    static abstract TSelf operator /(TSelf left, TSelf right);

    static abstract TSelf operator &(TSelf left, TSelf right);

    /// <summary>left · right + summand, rounded once.</summary>
    static abstract TSelf FusedMultiplyAdd(TSelf left, TSelf right, TSelf summand);

    /// <summary>The larger of two values; the second one where one is NaN.</summary>
    static abstract TSelf Max(TSelf left, TSelf right);

    /// <summary>x where it is between −126 and what <see cref="Scale"/> takes, and else the nearer end; NaN stays.</summary>
    static abstract TSelf Exponent(TSelf x);

    /// <summary>x − ⌊x⌋.</summary>
    static abstract TSelf Fraction(TSelf x);

    /// <summary>value · 2^⌊exponent⌋, of a value from 1 to 2 and an exponent of <see cref="Exponent"/>; infinite from 128 on.</summary>
    static abstract TSelf Scale(TSelf value, TSelf exponent);

    /// <summary>1 / x with a relative error of 2^−14 at most.</summary>
    static abstract TSelf ReciprocalEstimate(TSelf x);

    /// <summary>The sum of all lanes.</summary>
    static abstract float Sum(TSelf values);

    /// <summary>Whether all lanes are equal.</summary>
    static abstract bool AreEqual(TSelf left, TSelf right);

    /// <summary>Reads a square of values and writes it turned around, to[j, i] = from[i, j], with as many rows as a vector has lanes.</summary>
    static abstract void Transpose<TFrom, TTo>(TFrom* from, long fromStep, TTo* to, long toStep)
        where TFrom : unmanaged
        where TTo : unmanaged;
}
