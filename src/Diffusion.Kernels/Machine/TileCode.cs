using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Diffusion.Kernels;

/// <summary>The machine code of all <see cref="TileProduct"/>s of a level, made at once and put into one stretch of memory. Strides are arguments, so that there is a fixed number of them.</summary>
/// <remarks>
/// .NET has no intrinsics for AVX512_BF16, and compiles tiles of others to half their speed (docs/decisions/0007). The code gets one pointer and leaves registers as the calling conventions of Linux and
/// of Windows want them: it overwrites general ones but rbp and r13 to r15, of which it puts rbx, rsi, rdi and r12 back, and vectors 0 to 5 and 16 to 31, or, for AVX2, 0 to 15, of which it puts 6 to 15
/// back on Windows.
/// </remarks>
internal sealed class TileCode
{
    private const int Word = 4;
    private const int Sums = 16;
    private const int Alignment = 64;
    private const int FirstKept = 6; // of the vectors that belong to the caller on Windows
    private const int Kept = 10;

    private static readonly Lazy<TileCode?> s_avx2 = new(() => Here(ProcessorLevel.Avx2));
    private static readonly Lazy<TileCode?> s_avx512 = new(() => Here(ProcessorLevel.Avx512));
    private static readonly Lazy<TileCode?> s_pairs = new(() => Here(ProcessorLevel.Avx512BFloat16));

    private readonly Dictionary<(int Rows, int Lanes, TileStart Start), int> _offsets = [];
    private nint _place;

    private TileCode(ProcessorLevel level) => Level = level;

    /// <summary>Puts code where it can be called; 0 where it cannot be.</summary>
    internal delegate nint Placement(ReadOnlySpan<byte> code);

    /// <summary>Of the instructions: floats of AVX2 or AVX-512, or pairs of bfloat16.</summary>
    public ProcessorLevel Level { get; }

    /// <summary>The code of a level.</summary>
    /// <returns><see langword="null"/> where the processor lacks the instructions or the system does not let programs write code.</returns>
    public static TileCode? For(ProcessorLevel level) => (level switch { ProcessorLevel.Avx2 => s_avx2, ProcessorLevel.Avx512 => s_avx512, _ => s_pairs }).Value;

    /// <summary>Makes it.</summary>
    /// <param name="level">Of the instructions.</param>
    /// <param name="forWindows">Whether for the calling convention of Windows, or else that of Linux.</param>
    /// <param name="place">Where it goes.</param>
    internal static TileCode? Make(ProcessorLevel level, bool forWindows, Placement place)
    {
        var made = new TileCode(level);
        using var code = new MemoryStream();
        foreach (var rows in (int[])[4, 8, 16])
        {
            foreach (var lanes in ((int[])[4, 8, 16, 32, 48, 64]).Where(lanes => IsPossible(rows, lanes)))
            {
                foreach (var start in Enum.GetValues<TileStart>())
                {
                    made._offsets.Add((rows, lanes, start), (int)code.Length);
                    Write(TileBlock.Of(level, rows, lanes), start, forWindows).Assemble(new StreamCodeWriter(code), rip: 0);
                    code.SetLength((code.Length + Alignment - 1) / Alignment * Alignment);
                    code.Position = code.Length;
                }
            }
        }

        made._place = place(code.ToArray());
        return made._place == 0 ? null : made;
    }

    /// <summary>Whether there is a product of so many rows and lanes.</summary>
    public static bool IsPossible(int rows, int lanes) => rows is 4 or 8 or 16 && lanes is 4 or 8 or 16 or 32 or 48 or 64 && rows * ((lanes + 15) / 16) <= Sums;

    /// <summary>Where a product's code begins: it reads a <see cref="TileProduct.Call"/>.</summary>
    public nint Of(TileShape shape) => _place + _offsets[(shape.Rows, shape.Lanes, shape.Start)];

    private static TileCode? Here(ProcessorLevel level) => Processor.Highest >= level ? Make(level, OperatingSystem.IsWindows(), ExecutableMemory.Place) : null;

    private static Assembler Write(TileBlock block, TileStart start, bool forWindows)
    {
        var code = new Assembler(bitness: 64);
        var (call, a, b, depth, upper) = (r11, rax, rdx, rcx, rsi);
        var (step, step3, step5, step7, depthStep, columnStep) = (r8, r9, r10, rbx, r12, rdi);
        var (registers, bytes, rows) = (block.Registers, block.Registers.Lanes * Word, block.Rows);
        Register Sum(int m, int v) => registers[block.FirstSum + (m * block.Vectors) + v];
        (int M, int V)[] tiles = [.. from m in Enumerable.Range(0, rows) from v in Enumerable.Range(0, block.Vectors) select (m, v)];
        MemoryOperand Factor(int m) => (m % 8, m < 8 ? a : upper) switch
        {
            (0, var from) => new MemoryOperand(from),
            (3, var from) => new MemoryOperand(from, step3),
            (5, var from) => new MemoryOperand(from, step5),
            (6, var from) => new MemoryOperand(from, step3, 2),
            (7, var from) => new MemoryOperand(from, step7),
            (var count, var from) => new MemoryOperand(from, step, count), // 1, 2 or 4 steps
        };

        code.mov(call, forWindows ? rcx : rdi);
        Keep(code, call, block, forWindows);
        code.mov(step, __qword_ptr[call + 48]);
        code.mov(depthStep, __qword_ptr[call + 56]);
        code.mov(columnStep, __qword_ptr[call + 64]);
        code.lea(step3, __[step + (step * 2)]);
        code.lea(step5, __[step + (step * 4)]);
        code.lea(step7, __[step3 + (step * 4)]);

        var nextRows = code.CreateLabel();
        code.Label(ref nextRows);
        for (var column = 0; column < block.Blocks * block.Vectors * bytes; column += block.Vectors * bytes)
        {
            foreach (var (m, v) in tiles)
            {
                code.AddInstruction(registers.Clear(Sum(m, v)));
            }

            code.mov(a, __qword_ptr[call]);
            code.mov(b, __qword_ptr[call + 8]);
            code.mov(depth, __qword_ptr[call + 24]);
            if (rows > 8)
            {
                code.lea(upper, __[a + (step * 8)]);
            }

            var nextWord = code.CreateLabel();
            code.Label(ref nextWord);
            for (var v = 0; v < block.Vectors; v++)
            {
                code.AddInstruction(registers.Load(registers[v], new MemoryOperand(b, column + (v * bytes))));
            }

            foreach (var (m, v) in tiles)
            {
                if (v == 0)
                {
                    code.AddInstruction(registers.Broadcast(registers[block.Factor], Factor(m)));
                }

                code.AddInstruction(registers.MultiplyAdd(Sum(m, v), registers[v], registers[block.Factor]));
            }

            code.add(a, depthStep);
            if (rows > 8)
            {
                code.add(upper, depthStep);
            }

            code.add(b, columnStep);
            code.dec(depth);
            code.jnz(nextWord);

            code.mov(a, __qword_ptr[call + 16]);
            if (start == TileStart.Bias)
            {
                code.mov(b, __qword_ptr[call + 40]);
            }

            foreach (var (m, v) in tiles)
            {
                var place = new MemoryOperand(a, column + (v * bytes));
                if (start != TileStart.Zero)
                {
                    code.AddInstruction(registers.Add(Sum(m, v), start == TileStart.Sums ? place : new MemoryOperand(b, column + (v * bytes))));
                }

                code.AddInstruction(registers.Store(place, Sum(m, v)));
                if (v == block.Vectors - 1)
                {
                    code.add(a, __qword_ptr[call + 72]);
                }
            }
        }

        code.mov(__qword_ptr[call + 16], a);
        code.mov(a, __qword_ptr[call + 80]);
        code.add(__qword_ptr[call], a);
        code.dec(__qword_ptr[call + 32]);
        code.jnz(nextRows);
        Return(code, call, block, forWindows);
        return code;
    }

    /// <summary>Writes the registers that belong to the caller to the call.</summary>
    private static void Keep(Assembler code, AssemblerRegister64 call, TileBlock block, bool forWindows)
    {
        code.mov(__qword_ptr[call + 88], rbx);
        code.mov(__qword_ptr[call + 96], rsi);
        code.mov(__qword_ptr[call + 104], rdi);
        code.mov(__qword_ptr[call + 112], r12);
        foreach (var (register, place) in KeptVectors(call, block, forWindows))
        {
            code.AddInstruction(Whole(block).Store(place, register));
        }
    }

    private static void Return(Assembler code, AssemblerRegister64 call, TileBlock block, bool forWindows)
    {
        code.vzeroupper();
        foreach (var (register, place) in KeptVectors(call, block, forWindows))
        {
            code.AddInstruction(Whole(block).Load(register, place));
        }

        code.mov(rbx, __qword_ptr[call + 88]);
        code.mov(rsi, __qword_ptr[call + 96]);
        code.mov(rdi, __qword_ptr[call + 104]);
        code.mov(r12, __qword_ptr[call + 112]);
        code.ret();
    }

    /// <summary>The registers of 16 bytes that belong to the caller on Windows; above these nothing does.</summary>
    private static VectorRegisters Whole(TileBlock block) => block.Registers with { Lanes = 4 };

    private static IEnumerable<(Register Register, MemoryOperand Place)> KeptVectors(Register call, TileBlock block, bool forWindows) =>
        forWindows && block.FirstSum < FirstKept + Kept
            ? Enumerable.Range(0, Kept).Select(i => (Whole(block)[FirstKept + i], new MemoryOperand(call, 120 + (16 * i))))
            : [];
}
