using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Diffusion.Kernels;

/// <summary>16 floats: AVX-512 (F, BW, DQ, VL).</summary>
internal readonly unsafe struct Float32x16(Vector512<float> lanes) : IVector<Float32x16>
{
    private readonly Vector512<float> _lanes = lanes;

    public static int Count => Vector512<float>.Count;

    /// <summary>The lanes.</summary>
    public Vector512<float> Lanes => _lanes;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 operator +(Float32x16 left, Float32x16 right) => new(left._lanes + right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 operator -(Float32x16 left, Float32x16 right) => new(left._lanes - right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 operator *(Float32x16 left, Float32x16 right) => new(left._lanes * right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 operator /(Float32x16 left, Float32x16 right) => new(left._lanes / right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 operator &(Float32x16 left, Float32x16 right) => new(left._lanes & right._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 Create(float value) => new(Vector512.Create(value));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 Load(float* place) => new(Vector512.Load(place));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 Load(ushort* place) => new(Widened(Vector256.Load(place)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 Load(byte* place) => new(Avx512F.ConvertToVector512Single(Avx512F.ConvertToVector512Int32(Vector128.Load(place))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Float32x16 values, float* place) => Vector512.Store(values._lanes, place);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Float32x16 values, ushort* place) => Vector256.Store(BFloat16Values.Narrowed(values._lanes), place);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 First(int count) => new(Vector512.LessThan(Vector512<int>.Indices, Vector512.Create(count)).AsSingle());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 Load(Float32x16 mask, float* place) => new(Avx512F.MaskLoad(place, mask._lanes, Vector512<float>.Zero));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 Load(Float32x16 mask, ushort* place) =>
        new(Widened(Avx512BW.VL.MaskLoad(place, Avx512F.ConvertToVector256UInt16(mask._lanes.AsInt32()), Vector256<ushort>.Zero)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 Load(Float32x16 mask, byte* place) => new(Avx512F.ConvertToVector512Single(
        Avx512F.ConvertToVector512Int32(Avx512BW.VL.MaskLoad(place, Avx512F.ConvertToVector128Byte(mask._lanes.AsInt32()), Vector128<byte>.Zero))));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Float32x16 mask, Float32x16 values, float* place) => Avx512F.MaskStore(place, mask._lanes, values._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Store(Float32x16 mask, Float32x16 values, ushort* place) =>
        Avx512BW.VL.MaskStore(place, Avx512F.ConvertToVector256UInt16(mask._lanes.AsInt32()), BFloat16Values.Narrowed(values._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void StorePairs(Float32x16 low, Float32x16 high, uint* place) => Vector512.Store(BFloat16Values.Pair(low._lanes, high._lanes), place);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 FusedMultiplyAdd(Float32x16 left, Float32x16 right, Float32x16 summand) => new(Vector512.FusedMultiplyAdd(left._lanes, right._lanes, summand._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 Max(Float32x16 left, Float32x16 right) => new(Vector512.MaxNative(left._lanes, right._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 Exponent(Float32x16 x) => Max(Create(-126), x); // the second operand is what comes out where one is NaN

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 Fraction(Float32x16 x) => new(Avx512DQ.Reduce(x._lanes, 0b1001));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 Scale(Float32x16 value, Float32x16 exponent) => new(Avx512F.Scale(value._lanes, exponent._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static Float32x16 ReciprocalEstimate(Float32x16 x) => new(Avx512F.Reciprocal14(x._lanes));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Sum(Float32x16 values) => Vector512.Sum(values._lanes);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static bool AreEqual(Float32x16 left, Float32x16 right) => left._lanes == right._lanes;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Transpose<TFrom, TTo>(TFrom* from, long fromStep, TTo* to, long toStep)
        where TFrom : unmanaged
        where TTo : unmanaged
    {
        Vector512<float> Row(int i) => TileValues<Float32x16>.Load(from + (i * fromStep))._lanes;
        var (a0, a1, a2, a3) = Fours(Row(0), Row(1), Row(2), Row(3));
        var (b0, b1, b2, b3) = Fours(Row(4), Row(5), Row(6), Row(7));
        var (c0, c1, c2, c3) = Fours(Row(8), Row(9), Row(10), Row(11));
        var (d0, d1, d2, d3) = Fours(Row(12), Row(13), Row(14), Row(15));
        Columns(a0, b0, c0, d0, to, 4 * toStep);
        Columns(a1, b1, c1, d1, to + toStep, 4 * toStep);
        Columns(a2, b2, c2, d2, to + (2 * toStep), 4 * toStep);
        Columns(a3, b3, c3, d3, to + (3 * toStep), 4 * toStep);
    }

    private static Vector512<float> Widened(Vector256<ushort> values) => (Avx512F.ConvertToVector512UInt32(values) << 16).AsSingle();

    /// <summary>Four rows → of each quarter q four columns: the first result has columns 0, 4, 8 and 12, four values of each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector512<float> First, Vector512<float> Second, Vector512<float> Third, Vector512<float> Fourth) Fours(
        Vector512<float> row0, Vector512<float> row1, Vector512<float> row2, Vector512<float> row3)
    {
        var (low01, high01) = (Avx512F.UnpackLow(row0, row1).AsDouble(), Avx512F.UnpackHigh(row0, row1).AsDouble());
        var (low23, high23) = (Avx512F.UnpackLow(row2, row3).AsDouble(), Avx512F.UnpackHigh(row2, row3).AsDouble());
        return (
            Avx512F.UnpackLow(low01, low23).AsSingle(),
            Avx512F.UnpackHigh(low01, low23).AsSingle(),
            Avx512F.UnpackLow(high01, high23).AsSingle(),
            Avx512F.UnpackHigh(high01, high23).AsSingle());
    }

    /// <summary>Writes four columns, of which each vector has four values.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Columns<TTo>(Vector512<float> rows0, Vector512<float> rows4, Vector512<float> rows8, Vector512<float> rows12, TTo* to, long step)
        where TTo : unmanaged
    {
        var (even, odd) = (Avx512F.Shuffle4x128(rows0, rows4, 0b10_00_10_00), Avx512F.Shuffle4x128(rows0, rows4, 0b11_01_11_01)); // quarters 0, 2 | 0, 2
        var (evenAfter, oddAfter) = (Avx512F.Shuffle4x128(rows8, rows12, 0b10_00_10_00), Avx512F.Shuffle4x128(rows8, rows12, 0b11_01_11_01));
        TileValues<Float32x16>.Store(new(Avx512F.Shuffle4x128(even, evenAfter, 0b10_00_10_00)), to);
        TileValues<Float32x16>.Store(new(Avx512F.Shuffle4x128(odd, oddAfter, 0b10_00_10_00)), to + step);
        TileValues<Float32x16>.Store(new(Avx512F.Shuffle4x128(even, evenAfter, 0b11_01_11_01)), to + (2 * step));
        TileValues<Float32x16>.Store(new(Avx512F.Shuffle4x128(odd, oddAfter, 0b11_01_11_01)), to + (3 * step));
    }
}
