using System.Collections.Concurrent;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Diffusion.Kernels;

/// <summary>
/// c[m, n] = Σ_k a[m, k] · b[k, n], or added to c or to a bias, on a tile that stays in the nearest caches: machine code made for the shape. A <i>word</i> is four bytes of a and b: a float,
/// or two bfloat16 of neighbouring k, which one instruction multiplies and adds up in float32. c is float32.
/// </summary>
/// <remarks>
/// .NET has no intrinsics for AVX512_BF16 (docs/decisions/0007). The code gets one pointer and touches only registers that the calling conventions of Linux and of Windows
/// let it overwrite: general ones but rbx, rbp, rsi, rdi and r12 to r15, vectors 0 to 5 and 16 to 31.
/// </remarks>
internal sealed unsafe class TileProduct
{
    private const int Word = 4;
    private const int FirstSum = 16;
    private const int FactorRegister = 4;

    private static readonly ConcurrentDictionary<TileShape, TileProduct?> s_made = new();

    private readonly delegate* unmanaged[SuppressGCTransition]<Call*, void> _code;
    private readonly int _rows;

    private TileProduct(nint code, int rows)
    {
        _code = (delegate* unmanaged[SuppressGCTransition]<Call*, void>)code;
        _rows = rows;
    }

    /// <summary>The code for a shape, made the first time.</summary>
    /// <returns><see langword="null"/> where this system does not let programs write code.</returns>
    public static TileProduct? For(TileShape shape) => s_made.GetOrAdd(shape, Make);

    private static TileProduct? Make(TileShape shape)
    {
        using var code = new MemoryStream();
        Write(shape).Assemble(new StreamCodeWriter(code), rip: 0);
        var place = ExecutableMemory.Place(code.ToArray());
        return place == 0 ? null : new TileProduct(place, shape.Rows);
    }

    /// <summary>Multiplies.</summary>
    /// <param name="a">The words a[m, k].</param>
    /// <param name="b">The words b[k, n].</param>
    /// <param name="c">c[m, n].</param>
    /// <param name="rows">How many m, at least 1; rounded up to a multiple of those that the shape does at once: a and c must be as long.</param>
    /// <param name="depth">How many words k, at least 1.</param>
    /// <param name="bias">[n], where the shape starts from one.</param>
    public void Run(void* a, void* b, float* c, int rows, int depth, float* bias = null)
    {
        var call = new Call { A = a, B = b, C = c, Depth = depth, Blocks = (rows + _rows - 1) / _rows, Bias = bias };
        _code(&call);
    }

    private static Assembler Write(TileShape shape)
    {
        var code = new Assembler(bitness: 64);
        var (call, block, blocks, sums, a, b, depth) = (r11, r8, r9, r10, rax, rdx, rcx);
        var registers = new VectorRegisters(Math.Min(shape.Lanes, 16));
        var (vectors, bytes) = (shape.Lanes / registers.Lanes, registers.Lanes * Word);
        Register Sum(int m, int v) => registers[FirstSum + (m * vectors) + v];
        var tiles = from m in Enumerable.Range(0, shape.Rows) from v in Enumerable.Range(0, vectors) select (m, v);

        code.mov(call, OperatingSystem.IsWindows() ? rcx : rdi);
        code.mov(block, __qword_ptr[call]);
        code.mov(sums, __qword_ptr[call + 16]);
        code.mov(blocks, __qword_ptr[call + 32]);

        var nextBlock = code.CreateLabel();
        code.Label(ref nextBlock);
        foreach (var (m, v) in tiles)
        {
            code.AddInstruction(registers.Clear(Sum(m, v)));
        }

        code.mov(a, block);
        code.mov(b, __qword_ptr[call + 8]);
        code.mov(depth, __qword_ptr[call + 24]);

        var nextWord = code.CreateLabel();
        code.Label(ref nextWord);
        for (var v = 0; v < vectors; v++)
        {
            code.AddInstruction(registers.Load(registers[v], new MemoryOperand(b, v * bytes)));
        }

        foreach (var (m, v) in tiles)
        {
            if (v == 0)
            {
                code.AddInstruction(registers.Broadcast(registers[FactorRegister], new MemoryOperand(a, m * shape.RowStep * Word)));
            }

            code.AddInstruction(registers.MultiplyAdd(shape.IsNarrow, Sum(m, v), registers[v], registers[FactorRegister]));
        }

        code.add(a, shape.DepthStep * Word);
        code.add(b, shape.ColumnStep * Word);
        code.dec(depth);
        code.jnz(nextWord);

        if (shape.Start == TileStart.Bias)
        {
            code.mov(b, __qword_ptr[call + 40]);
        }

        foreach (var (m, v) in tiles)
        {
            var place = new MemoryOperand(sums, ((m * shape.SumStep) + (v * registers.Lanes)) * Word);
            if (shape.Start != TileStart.Zero)
            {
                code.AddInstruction(registers.Add(Sum(m, v), shape.Start == TileStart.Sums ? place : new MemoryOperand(b, v * bytes)));
            }

            code.AddInstruction(registers.Store(place, Sum(m, v)));
        }

        code.add(block, shape.Rows * shape.RowStep * Word);
        code.add(sums, shape.Rows * shape.SumStep * Word);
        code.dec(blocks);
        code.jnz(nextBlock);
        code.vzeroupper();
        code.ret();
        return code;
    }

    /// <summary>What the code reads: the order counts.</summary>
    private struct Call
    {
        public void* A;
        public void* B;
        public float* C;
        public long Depth;
        public long Blocks;
        public float* Bias;
    }
}
