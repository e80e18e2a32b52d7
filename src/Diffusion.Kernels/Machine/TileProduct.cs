using System.Runtime.CompilerServices;

namespace Diffusion.Kernels;

/// <summary>
/// c[m, n] = Σ_k a[m, k] · b[k, n], or added to c or to a bias, on a tile that stays in the nearest caches: machine code where the system lets programs write it. A <i>word</i> is four bytes of
/// a and b: a float, or two bfloat16 of neighbouring k, which one instruction multiplies and adds up in float32. c is float32.
/// </summary>
internal readonly unsafe struct TileProduct
{
    private const int Word = 4;

    private readonly delegate* unmanaged[SuppressGCTransition]<Call*, void> _code;
    private readonly TileShape _shape;
    private readonly bool _narrow;
    private readonly TileBlock _block;

    private TileProduct(TileShape shape, bool narrow, TileCode? code)
    {
        _shape = TileCode.IsPossible(shape.Rows, shape.Lanes) ? shape : throw new ArgumentException($"There is no product of {shape.Rows} rows and {shape.Lanes} lanes.", nameof(shape));
        _narrow = narrow;
        _block = code is null ? default : TileBlock.Of(code.Level, shape.Rows, shape.Lanes);
        _code = (delegate* unmanaged[SuppressGCTransition]<Call*, void>)(code?.Of(shape) ?? 0);
    }

    /// <summary>The product of a shape: machine code, or the same in C#, slowly.</summary>
    /// <typeparam name="T">What words are.</typeparam>
    /// <typeparam name="TVector">What sums are kept in.</typeparam>
    public static TileProduct For<T, TVector>(TileShape shape)
        where T : ITileFormat
        where TVector : unmanaged, IVector<TVector> => new(shape, T.PerWord > 1, TileSupport.Code<T, TVector>());

    /// <summary>The product of a shape with code that was made for a test.</summary>
    internal static TileProduct For(TileShape shape, bool narrow, TileCode? code) => new(shape, narrow, code);

    /// <summary>Multiplies.</summary>
    /// <param name="a">The words a[m, k].</param>
    /// <param name="b">The words b[k, n].</param>
    /// <param name="c">c[m, n].</param>
    /// <param name="rows">How many m, at least 1; rounded up to a multiple of those that the shape does at once: a and c must be as long.</param>
    /// <param name="depth">How many words k, at least 1.</param>
    /// <param name="bias">[n], where the shape starts from one.</param>
    [SkipLocalsInit]
    public void Run(void* a, void* b, float* c, int rows, int depth, float* bias = null)
    {
        rows = (rows + _shape.Rows - 1) / _shape.Rows * _shape.Rows;
        if (_code == null)
        {
            Multiply((uint*)a, (uint*)b, c, rows, depth, bias);
            return;
        }

        Unsafe.SkipInit(out Call call);
        call.A = a;
        call.B = b;
        call.C = c;
        call.Depth = depth;
        (call.Blocks, call.LastBlocks) = _block.Count(rows);
        call.Bias = bias;
        call.RowStep = (long)_shape.RowStep * Word;
        call.DepthStep = (long)_shape.DepthStep * Word;
        call.ColumnStep = (long)_shape.ColumnStep * Word;
        call.SumStep = (long)_shape.SumStep * Word;
        _code(&call);
    }

    private void Multiply(uint* a, uint* b, float* c, int rows, int depth, float* bias)
    {
        for (var m = 0; m < rows; m++, a += _shape.RowStep, c += _shape.SumStep)
        {
            for (var n = 0; n < _shape.Lanes; n++)
            {
                var sum = 0f;
                for (var k = 0; k < depth; k++)
                {
                    var (one, other) = (a[(long)k * _shape.DepthStep], b[((long)k * _shape.ColumnStep) + n]);
                    sum = _narrow
                        ? sum + (Value(one & 0xFFFF0000) * Value(other & 0xFFFF0000)) + (Value(one << 16) * Value(other << 16))
                        : MathF.FusedMultiplyAdd(Value(one), Value(other), sum);
                }

                c[n] = sum + (_shape.Start switch { TileStart.Sums => c[n], TileStart.Bias => bias[n], _ => 0 });
            }
        }
    }

    private static float Value(uint bits) => BitConverter.UInt32BitsToSingle(bits);

    /// <summary>What the code reads and writes: the order counts. Steps are in bytes.</summary>
    internal struct Call
    {
        public void* A;
        public void* B;
        public float* C;
        public long Depth;
        public long Blocks;
        public long LastBlocks;
        public float* Bias;
        public long RowStep;
        public long DepthStep;
        public long ColumnStep;
        public long SumStep;
        public void* BlockOfA; // of the code, meanwhile
        public float* BlockOfC;
    }
}
