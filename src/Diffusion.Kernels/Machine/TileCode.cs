using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Diffusion.Kernels;

/// <summary>The machine code of all <see cref="TileProduct"/>s of a level, made at once and put into one stretch of memory. Strides are arguments, so that there is a fixed number of them.</summary>
/// <remarks>
/// .NET has no intrinsics for AVX512_BF16 (docs/decisions/0007). The code gets one pointer and leaves registers as the calling conventions of Linux and
/// of Windows want them: it overwrites general ones but rbp and r15, of which it puts rbx, rsi, rdi and r12 to r14 back, and vectors 0 to 5 and 16 to 31, or, for AVX2, 0 to 15, of which it puts 6 to 15
/// back on Windows. They lie on the stack meanwhile, and Windows is told where (<see cref="UnwindInfo"/>), so that exceptions and debuggers find the way to the caller and its registers.
/// </remarks>
internal sealed class TileCode
{
    private const int Word = 4;
    private const int Line = 64; // of a cache
    private const int Sums = 16;
    private const int Alignment = 64;
    private const int FirstKept = 6; // of the vectors that belong to the caller on Windows
    private const int Kept = 10;
    private const int VectorBytes = (16 * Kept) + 8; // the stack's end is then a multiple of 16

    private static readonly AssemblerRegister64 s_call = r11;
    private static readonly AssemblerRegister64 s_a = rax;
    private static readonly AssemblerRegister64 s_b = rdx;
    private static readonly AssemblerRegister64 s_depth = rcx;
    private static readonly AssemblerRegister64 s_upper = rsi; // the ninth row of a
    private static readonly AssemblerRegister64 s_blocks = r13;
    private static readonly AssemblerRegister64 s_next = r14; // from b to what follows it
    private static readonly AssemblerRegister64 s_step = r8;
    private static readonly AssemblerRegister64 s_step3 = r9;
    private static readonly AssemblerRegister64 s_step5 = r10;
    private static readonly AssemblerRegister64 s_step7 = rbx;
    private static readonly AssemblerRegister64 s_depthStep = r12;
    private static readonly AssemblerRegister64 s_columnStep = rdi;

    private static readonly AssemblerRegister64[] s_kept = [rbx, rsi, rdi, r12, r13, r14];

    private static readonly Lazy<TileCode?> s_avx2 = new(() => Here(ProcessorLevel.Avx2));
    private static readonly Lazy<TileCode?> s_avx512 = new(() => Here(ProcessorLevel.Avx512));
    private static readonly Lazy<TileCode?> s_pairs = new(() => Here(ProcessorLevel.Avx512BFloat16));

    private readonly Dictionary<(int Rows, int Lanes, TileStart Start), int> _offsets = [];
    private readonly List<UnwindFunction> _functions = [];
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
                    made._functions.Add(Add(code, Write(TileBlock.Of(level, rows, lanes), start, forWindows), forWindows));
                }
            }
        }

        var table = (int)code.Length;
        if (forWindows)
        {
            code.Write(UnwindFunction.Table(made._functions));
        }

        made._place = place(code.ToArray());
        if (made._place == 0)
        {
            return null;
        }

        made.Table = forWindows ? made._place + table : 0;
        return made;
    }

    /// <summary>Where each product's code lies, from the place of all.</summary>
    internal IReadOnlyList<UnwindFunction> Functions => _functions;

    /// <summary>Where all of it lies.</summary>
    internal nint Place => _place;

    /// <summary>Where the table of <see cref="Functions"/> for Windows lies; 0 for Linux.</summary>
    internal nint Table { get; private set; }

    /// <summary>Whether there is a product of so many rows and lanes.</summary>
    public static bool IsPossible(int rows, int lanes) => rows is 4 or 8 or 16 && lanes is 4 or 8 or 16 or 32 or 48 or 64 && rows * ((lanes + 15) / 16) <= Sums;

    /// <summary>Where a product's code begins: it reads a <see cref="TileProduct.Call"/>.</summary>
    public nint Of(TileShape shape) => _place + _offsets[(shape.Rows, shape.Lanes, shape.Start)];

    /// <summary>The code of a level in memory of this process.</summary>
    /// <returns><see langword="null"/> where the processor lacks the instructions or the system refuses the memory.</returns>
    internal static TileCode? Here(ProcessorLevel level)
    {
        var code = Processor.Highest >= level ? Make(level, OperatingSystem.IsWindows(), ExecutableMemory.Place) : null;
        if (OperatingSystem.IsWindows() && code is not null)
        {
            UnwindFunction.Announce(code.Table, code._functions.Count, code._place);
        }

        return code;
    }

    /// <summary>Puts a function's code behind the others, and how to unwind it behind its code.</summary>
    private static UnwindFunction Add(MemoryStream code, Assembler function, bool forWindows)
    {
        var begin = (int)code.Length;
        var offsets = function.Assemble(new StreamCodeWriter(code), rip: 0, BlockEncoderOptions.ReturnNewInstructionOffsets).Result[0].NewInstructionOffsets;
        var (end, info) = ((int)code.Length, 0);
        if (forWindows)
        {
            Align(code, UnwindInfo.Alignment);
            info = (int)code.Length;
            code.Write(UnwindInfo.Of(function.Instructions, offsets));
        }

        Align(code, Alignment);
        return new UnwindFunction(begin, end, info);
    }

    private static void Align(MemoryStream code, int alignment)
    {
        code.SetLength((code.Length + alignment - 1) / alignment * alignment);
        code.Position = code.Length;
    }

    private static Assembler Write(TileBlock block, TileStart start, bool forWindows)
    {
        var code = new Assembler(bitness: 64);
        code.mov(s_call, forWindows ? rcx : rdi);
        Keep(code, block, forWindows);
        code.mov(s_step, __qword_ptr[s_call + 56]);
        code.mov(s_depthStep, __qword_ptr[s_call + 64]);
        code.mov(s_columnStep, __qword_ptr[s_call + 72]);
        code.mov(s_next, __qword_ptr[s_call + 24]);
        code.imul(s_next, s_columnStep);
        code.lea(s_step3, __[s_step + (s_step * 2)]);
        code.lea(s_step5, __[s_step + (s_step * 4)]);
        code.lea(s_step7, __[s_step3 + (s_step * 4)]);
        for (var column = 0; column < block.Across * block.Vectors; column += block.Vectors)
        {
            // Columns first: what all rows read of b then fits into a first-level cache.
            code.mov(s_a, __qword_ptr[s_call]);
            code.mov(__qword_ptr[s_call + 88], s_a);
            code.mov(s_a, __qword_ptr[s_call + 16]);
            code.mov(__qword_ptr[s_call + 96], s_a);
            Rows(code, block, block.Rows, column, start, count: 32);
            if (block.LastRows > 0)
            {
                Rows(code, block, block.LastRows, column, start, count: 40);
            }
        }

        Return(code, block, forWindows);
        return code;
    }

    /// <summary>All blocks of a height, of some columns; there may be none.</summary>
    private static void Rows(Assembler code, TileBlock block, int rows, int column, TileStart start, int count)
    {
        var (registers, bytes) = (block.Registers, block.Registers.Lanes * Word);
        Register Sum(int m, int v) => registers[block.FirstSum + (m * block.Vectors) + v];
        (int M, int V)[] tiles = [.. from m in Enumerable.Range(0, rows) from v in Enumerable.Range(0, block.Vectors) select (m, v)];
        var (nextRows, nextWord, end) = (code.CreateLabel(), code.CreateLabel(), code.CreateLabel());
        code.mov(s_blocks, __qword_ptr[s_call + count]);
        code.test(s_blocks, s_blocks);
        code.jz(end);
        code.Label(ref nextRows);
        foreach (var (m, v) in tiles)
        {
            code.AddInstruction(registers.Clear(Sum(m, v)));
        }

        code.mov(s_a, __qword_ptr[s_call + 88]);
        code.mov(s_b, __qword_ptr[s_call + 8]);
        code.mov(s_depth, __qword_ptr[s_call + 24]);
        if (rows > 8)
        {
            code.lea(s_upper, __[s_a + (s_step * 8)]);
        }

        code.Label(ref nextWord);
        for (var v = 0; v < block.Vectors; v++)
        {
            code.AddInstruction(registers.Load(registers[v], new MemoryOperand(s_b, (column + v) * bytes)));
        }

        for (var line = 0; line < block.Vectors * bytes; line += Line)
        {
            code.prefetcht1(__byte_ptr[s_b + s_next + (column * bytes) + line]);
        }

        foreach (var (m, v) in tiles)
        {
            if (v == 0)
            {
                code.AddInstruction(registers.Broadcast(registers[block.Factor], Factor(m)));
            }

            code.AddInstruction(registers.MultiplyAdd(Sum(m, v), registers[v], registers[block.Factor]));
        }

        code.add(s_a, s_depthStep);
        if (rows > 8)
        {
            code.add(s_upper, s_depthStep);
        }

        code.add(s_b, s_columnStep);
        code.dec(s_depth);
        code.jnz(nextWord);

        code.mov(s_a, __qword_ptr[s_call + 96]);
        if (start == TileStart.Bias)
        {
            code.mov(s_b, __qword_ptr[s_call + 48]);
        }

        foreach (var (m, v) in tiles)
        {
            var place = new MemoryOperand(s_a, (column + v) * bytes);
            if (start != TileStart.Zero)
            {
                code.AddInstruction(registers.Add(Sum(m, v), start == TileStart.Sums ? place : new MemoryOperand(s_b, (column + v) * bytes)));
            }

            code.AddInstruction(registers.Store(place, Sum(m, v)));
            if (v == block.Vectors - 1)
            {
                code.add(s_a, __qword_ptr[s_call + 80]);
            }
        }

        code.mov(__qword_ptr[s_call + 96], s_a);
        code.imul(s_a, s_step, rows);
        code.add(__qword_ptr[s_call + 88], s_a);
        code.dec(s_blocks);
        code.jnz(nextRows);
        code.Label(ref end);
        code.nop();
    }

    private static MemoryOperand Factor(int row) => (row % 8, row < 8 ? s_a : s_upper) switch
    {
        (0, var from) => new MemoryOperand(from),
        (3, var from) => new MemoryOperand(from, s_step3),
        (5, var from) => new MemoryOperand(from, s_step5),
        (6, var from) => new MemoryOperand(from, s_step3, 2),
        (7, var from) => new MemoryOperand(from, s_step7),
        (var count, var from) => new MemoryOperand(from, s_step, count), // 1, 2 or 4 steps
    };

    /// <summary>Puts the registers that belong to the caller on the stack. <see cref="UnwindInfo"/> reads these instructions: one that moves the stack's end or keeps a register has a form that it knows.</summary>
    private static void Keep(Assembler code, TileBlock block, bool forWindows)
    {
        foreach (var register in s_kept)
        {
            code.push(register);
        }

        if (KeepsVectors(block, forWindows))
        {
            code.sub(rsp, VectorBytes);
            for (var i = 0; i < Kept; i++)
            {
                code.AddInstruction(Whole(block).Store(new MemoryOperand(Register.RSP, 16 * i), Whole(block)[FirstKept + i]));
            }
        }
    }

    private static void Return(Assembler code, TileBlock block, bool forWindows)
    {
        code.vzeroupper();
        if (KeepsVectors(block, forWindows))
        {
            for (var i = 0; i < Kept; i++)
            {
                code.AddInstruction(Whole(block).Load(Whole(block)[FirstKept + i], new MemoryOperand(Register.RSP, 16 * i)));
            }

            code.add(rsp, VectorBytes);
        }

        foreach (var register in Enumerable.Reverse(s_kept))
        {
            code.pop(register);
        }

        code.ret();
    }

    /// <summary>The registers of 16 bytes that belong to the caller on Windows; above these nothing does.</summary>
    private static VectorRegisters Whole(TileBlock block) => block.Registers with { Lanes = 4 };

    private static bool KeepsVectors(TileBlock block, bool forWindows) => forWindows && block.FirstSum < FirstKept + Kept;
}
