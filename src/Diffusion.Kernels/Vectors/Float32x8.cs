using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>8 floats: AVX2 and FMA.</summary>
internal readonly unsafe struct Float32x8(Vector256<float> lanes) : IVector<Float32x8>
{
    private readonly Vector256<float> _lanes = lanes;

    public static int Count => Vector256<float>.Count;

    /// <summary>The lanes.</summary>
    public Vector256<float> Lanes => _lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 operator +(Float32x8 left, Float32x8 right) => new(left._lanes + right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 operator -(Float32x8 left, Float32x8 right) => new(left._lanes - right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 operator *(Float32x8 left, Float32x8 right) => new(left._lanes * right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 operator /(Float32x8 left, Float32x8 right) => new(left._lanes / right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 operator &(Float32x8 left, Float32x8 right) => new(left._lanes & right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 Create(float value) => new(Vector256.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 Load(float* place) => new(Vector256.Load(place));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 Load(ushort* place) => new(Widened(Vector128.Load(place)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 Load(byte* place) => new(Avx.ConvertToVector256Single(Avx2.ConvertToVector256Int32(place)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Float32x8 values, float* place) => Vector256.Store(values._lanes, place);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Float32x8 values, ushort* place) => Vector128.Store(BFloat16Values.Narrowed(values._lanes), place);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 First(int count) => new(Vector256.LessThan(Vector256<int>.Indices, Vector256.Create(count)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 Load(Float32x8 mask, float* place) => new(Avx.MaskLoad(place, mask._lanes));

    public static Float32x8 Load(Float32x8 mask, ushort* place)
    {
        var count = FirstOf(mask);
        if (count == Count)
        {
            return Load(place);
        }

        var values = stackalloc ushort[Count]; // zeros; AVX2 has no masks of 16 bits
        for (var i = 0; i < count; i++)
        {
            values[i] = place[i];
        }

        return Load(values);
    }

    public static Float32x8 Load(Float32x8 mask, byte* place)
    {
        var count = FirstOf(mask);
        if (count == Count)
        {
            return Load(place);
        }

        var values = stackalloc byte[Count]; // zeros
        for (var i = 0; i < count; i++)
        {
            values[i] = place[i];
        }

        return Load(values);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Float32x8 mask, Float32x8 values, float* place) => Avx.MaskStore(place, mask._lanes, values._lanes);

    public static void Store(Float32x8 mask, Float32x8 values, ushort* place)
    {
        var count = FirstOf(mask);
        if (count == Count)
        {
            Store(values, place);
            return;
        }

        var all = stackalloc ushort[Count];
        Store(values, all);
        for (var i = 0; i < count; i++)
        {
            place[i] = all[i];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePairs(Float32x8 low, Float32x8 high, uint* place) => Vector256.Store(BFloat16Values.Pair(low._lanes, high._lanes), place);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 FusedMultiplyAdd(Float32x8 left, Float32x8 right, Float32x8 summand) => new(Vector256.FusedMultiplyAdd(left._lanes, right._lanes, summand._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 Max(Float32x8 left, Float32x8 right) => new(Avx.Max(left._lanes, right._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 Exponent(Float32x8 x) => new(Avx.Min(Vector256.Create(128f), Avx.Max(Vector256.Create(-126f), x._lanes))); // the second operand is what comes out where one is NaN

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 Fraction(Float32x8 x) => new(x._lanes - Vector256.Floor(x._lanes));

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 Scale(Float32x8 value, Float32x8 exponent)
    {
        var steps = Avx.ConvertToVector256Int32(Vector256.Floor(exponent._lanes)) << 23;
        return new((value._lanes.AsInt32() + steps).AsSingle()); // 1 at 128, whose fraction is 0, becomes infinite
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x8 ReciprocalEstimate(Float32x8 x) => new(Vector256<float>.One / x._lanes); // AVX2's estimate has an error of 1.5 · 2^−12

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Float32x8 values) => Vector256.Sum(values._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreEqual(Float32x8 left, Float32x8 right) => left._lanes == right._lanes;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose<TFrom, TTo>(TFrom* from, long fromStep, TTo* to, long toStep)
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        Vector256<float> Row(int i) => TileValues<Float32x8>.Load(from + (i * fromStep))._lanes;
        var (a0, a1, a2, a3) = Fours(Row(0), Row(1), Row(2), Row(3));
        var (b0, b1, b2, b3) = Fours(Row(4), Row(5), Row(6), Row(7));
        Columns(a0, b0, to, 4 * toStep);
        Columns(a1, b1, to + toStep, 4 * toStep);
        Columns(a2, b2, to + (2 * toStep), 4 * toStep);
        Columns(a3, b3, to + (3 * toStep), 4 * toStep);
    }

    private static int FirstOf(Float32x8 mask) => BitOperations.PopCount(mask._lanes.ExtractMostSignificantBits());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Widened(Vector128<ushort> values) => (Avx2.ConvertToVector256Int32(values) << 16).AsSingle();

    /// <summary>Four rows → of each half four columns: the first result has columns 0 and 4, four values of each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> First, Vector256<float> Second, Vector256<float> Third, Vector256<float> Fourth) Fours(
        Vector256<float> row0, Vector256<float> row1, Vector256<float> row2, Vector256<float> row3)
    {
        var (low01, high01) = (Avx.UnpackLow(row0, row1).AsDouble(), Avx.UnpackHigh(row0, row1).AsDouble());
        var (low23, high23) = (Avx.UnpackLow(row2, row3).AsDouble(), Avx.UnpackHigh(row2, row3).AsDouble());
        return (Avx.UnpackLow(low01, low23).AsSingle(), Avx.UnpackHigh(low01, low23).AsSingle(), Avx.UnpackLow(high01, high23).AsSingle(), Avx.UnpackHigh(high01, high23).AsSingle());
    }

    /// <summary>Writes two columns, of which each vector has four values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Columns<TTo>(Vector256<float> rows0, Vector256<float> rows4, TTo* to, long step)
        where TTo : unmanaged
    {
        TileValues<Float32x8>.Store(new(Avx.Permute2x128(rows0, rows4, 0b10_0000)), to);
        TileValues<Float32x8>.Store(new(Avx.Permute2x128(rows0, rows4, 0b11_0001)), to + step);
    }
}
