using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Diffusion.Kernels;

/// <summary>The machine code of all <see cref="TileProduct"/>s of a format, made at once and put into one stretch of memory. Strides are arguments, so that there is a fixed number of them.</summary>
/// <remarks>
/// .NET has no intrinsics for AVX512_BF16 (docs/decisions/0007). The code gets one pointer and leaves registers as the calling conventions of Linux and of Windows want them: it overwrites
/// general ones but rbp and r13 to r15, of which it puts rbx, rsi, rdi and r12 back, and vectors 0 to 5 and 16 to 31.
/// </remarks>
internal sealed class TileCode
{
    private const int Word = 4;
    private const int FirstSum = 16;
    private const int Sums = 16;
    private const int FactorRegister = 4;
    private const int Alignment = 64;

    private static readonly Lazy<TileCode?> s_floats = new(() => Processor.Highest >= ProcessorLevel.Avx512 ? Make(narrow: false, ExecutableMemory.Place) : null);
    private static readonly Lazy<TileCode?> s_pairs = new(() => Processor.Highest >= ProcessorLevel.Avx512BFloat16 ? Make(narrow: true, ExecutableMemory.Place) : null);

    private readonly Dictionary<(int Rows, int Lanes, TileStart Start), int> _offsets = [];
    private nint _place;

    private TileCode()
    {
    }

    /// <summary>Puts code where it can be called; 0 where it cannot be.</summary>
    internal delegate nint Placement(ReadOnlySpan<byte> code);

    /// <summary>The code of a format.</summary>
    /// <returns><see langword="null"/> where the processor lacks the instructions or the system does not let programs write code.</returns>
    public static TileCode? For(bool narrow) => (narrow ? s_pairs : s_floats).Value;

    /// <summary>Makes it.</summary>
    /// <param name="narrow">Whether words are pairs of bfloat16.</param>
    /// <param name="place">Where it goes.</param>
    internal static TileCode? Make(bool narrow, Placement place)
    {
        var made = new TileCode();
        using var code = new MemoryStream();
        foreach (var rows in (int[])[4, 8, 16])
        {
            foreach (var lanes in ((int[])[4, 8, 16, 32, 48, 64]).Where(lanes => IsPossible(rows, lanes)))
            {
                foreach (var start in Enum.GetValues<TileStart>())
                {
                    made._offsets.Add((rows, lanes, start), (int)code.Length);
                    Write(narrow, rows, lanes, start).Assemble(new StreamCodeWriter(code), rip: 0);
                    code.SetLength((code.Length + Alignment - 1) / Alignment * Alignment);
                    code.Position = code.Length;
                }
            }
        }

        made._place = place(code.ToArray());
        return made._place == 0 ? null : made;
    }

    /// <summary>Whether a product of so many rows and lanes fits into the registers.</summary>
    public static bool IsPossible(int rows, int lanes) => rows is 4 or 8 or 16 && lanes is 4 or 8 or 16 or 32 or 48 or 64 && rows * ((lanes + 15) / 16) <= Sums;

    /// <summary>Where a product's code begins: it reads a <see cref="TileProduct.Call"/>.</summary>
    public nint Of(TileShape shape) => _place + _offsets[(shape.Rows, shape.Lanes, shape.Start)];

    private static Assembler Write(bool narrow, int rows, int lanes, TileStart start)
    {
        var code = new Assembler(bitness: 64);
        var (call, a, b, depth, upper) = (r11, rax, rdx, rcx, rsi);
        var (step, step3, step5, step7, depthStep, columnStep) = (r8, r9, r10, rbx, r12, rdi);
        var registers = new VectorRegisters(Math.Min(lanes, 16));
        var (vectors, bytes) = (lanes / registers.Lanes, registers.Lanes * Word);
        Register Sum(int m, int v) => registers[FirstSum + (m * vectors) + v];
        (int M, int V)[] tiles = [.. from m in Enumerable.Range(0, rows) from v in Enumerable.Range(0, vectors) select (m, v)];
        MemoryOperand Factor(int m) => (m % 8, m < 8 ? a : upper) switch
        {
            (0, var from) => new MemoryOperand(from),
            (3, var from) => new MemoryOperand(from, step3),
            (5, var from) => new MemoryOperand(from, step5),
            (6, var from) => new MemoryOperand(from, step3, 2),
            (7, var from) => new MemoryOperand(from, step7),
            (var count, var from) => new MemoryOperand(from, step, count), // 1, 2 or 4 steps
        };

        code.mov(call, OperatingSystem.IsWindows() ? rcx : rdi);
        code.mov(__qword_ptr[call + 88], rbx);
        code.mov(__qword_ptr[call + 96], rsi);
        code.mov(__qword_ptr[call + 104], rdi);
        code.mov(__qword_ptr[call + 112], r12);
        code.mov(step, __qword_ptr[call + 48]);
        code.mov(depthStep, __qword_ptr[call + 56]);
        code.mov(columnStep, __qword_ptr[call + 64]);
        code.lea(step3, __[step + (step * 2)]);
        code.lea(step5, __[step + (step * 4)]);
        code.lea(step7, __[step3 + (step * 4)]);

        var nextBlock = code.CreateLabel();
        code.Label(ref nextBlock);
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
        for (var v = 0; v < vectors; v++)
        {
            code.AddInstruction(registers.Load(registers[v], new MemoryOperand(b, v * bytes)));
        }

        foreach (var (m, v) in tiles)
        {
            if (v == 0)
            {
                code.AddInstruction(registers.Broadcast(registers[FactorRegister], Factor(m)));
            }

            code.AddInstruction(registers.MultiplyAdd(narrow, Sum(m, v), registers[v], registers[FactorRegister]));
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
            var place = new MemoryOperand(a, v * bytes);
            if (start != TileStart.Zero)
            {
                code.AddInstruction(registers.Add(Sum(m, v), start == TileStart.Sums ? place : new MemoryOperand(b, v * bytes)));
            }

            code.AddInstruction(registers.Store(place, Sum(m, v)));
            if (v == vectors - 1)
            {
                code.add(a, __qword_ptr[call + 72]);
            }
        }

        code.mov(__qword_ptr[call + 16], a);
        code.mov(a, __qword_ptr[call + 80]);
        code.add(__qword_ptr[call], a);
        code.dec(__qword_ptr[call + 32]);
        code.jnz(nextBlock);
        code.mov(rbx, __qword_ptr[call + 88]);
        code.mov(rsi, __qword_ptr[call + 96]);
        code.mov(rdi, __qword_ptr[call + 104]);
        code.mov(r12, __qword_ptr[call + 112]);
        code.vzeroupper();
        code.ret();
        return code;
    }
}
