using System.Runtime.InteropServices;
using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Diffusion.Kernels.Tests;

/// <summary>A caller in machine code that has numbers in every register that belongs to it, and looks at them after the call.</summary>
public sealed unsafe class CallingConventionTests
{
    private const int Shadow = 32; // of the callee on Windows
    private const int Vectors = 10; // xmm6 to xmm15
    private const int Depth = 3;

    private static readonly AssemblerRegister64[] s_general = [rbx, rbp, rsi, rdi, r12, r13, r14, r15];

    public static TheoryDataRow[] Shapes { get; } = Levels.Rows(Levels.WithTiles, (4, 4), (8, 8), (16, 16), (8, 32), (4, 48), (4, 64));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Of_ACallerInMachineCode_FindsItsRegistersAsTheyWere(int rows, int lanes, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var code = TileCode.For(level)!;
        var caller = ExecutableMemory.Place(Caller(OperatingSystem.IsWindows()));
        Assert.NotEqual(0, caller);
        var values = (float*)NativeMemory.AllocZeroed((nuint)((rows * Depth) + (Depth * lanes) + (rows * lanes)), sizeof(float));
        try
        {
            var (blocks, lastBlocks) = TileBlock.Of(level, rows, lanes).Count(rows);
            var call = new TileProduct.Call
            {
                A = values,
                B = values + (rows * Depth),
                C = values + (rows * Depth) + (Depth * lanes),
                Depth = Depth,
                Blocks = blocks,
                LastBlocks = lastBlocks,
                RowStep = Depth * sizeof(float),
                DepthStep = sizeof(float),
                ColumnStep = lanes * sizeof(float),
                SumStep = lanes * sizeof(float),
            };
            var registers = new Registers { Target = code.Of(new TileShape(rows, lanes, Depth, 1, TileStart.Zero)), Call = &call };
            for (var i = 0; i < s_general.Length; i++)
            {
                registers.General[i] = 0x5000_0000_0000_0000 + i;
            }

            for (var i = 0; i < 2 * Vectors; i++)
            {
                registers.Vectors[i] = 0x6000_0000_0000_0000 + i;
            }

            ((delegate* unmanaged<Registers*, void>)caller)(&registers);

            Assert.Equal(new ReadOnlySpan<long>(registers.General, s_general.Length).ToArray(), new ReadOnlySpan<long>(registers.GeneralAfter, s_general.Length).ToArray().Select((value, i) => Kept(i) ? value : 0x5000_0000_0000_0000 + i));
            if (OperatingSystem.IsWindows())
            {
                Assert.Equal(new ReadOnlySpan<long>(registers.Vectors, 2 * Vectors).ToArray(), new ReadOnlySpan<long>(registers.VectorsAfter, 2 * Vectors).ToArray());
            }
        }
        finally
        {
            NativeMemory.Free(values);
        }
    }

    /// <summary>rsi and rdi belong to the caller on Windows alone.</summary>
    private static bool Kept(int general) => OperatingSystem.IsWindows() || s_general[general] != rsi && s_general[general] != rdi;

    private static byte[] Caller(bool forWindows)
    {
        const int place = Shadow + (16 * Vectors);
        var code = new Assembler(bitness: 64);
        foreach (var register in s_general)
        {
            code.push(register);
        }

        code.sub(rsp, place + 8); // a multiple of 16 then: eight were pushed after the return address
        code.mov(rax, forWindows ? rcx : rdi);
        code.mov(__qword_ptr[rsp + place], rax);
        for (var i = 0; i < Vectors; i++)
        {
            code.movups(__xmmword_ptr[rsp + Shadow + (16 * i)], Vector(i));
            code.movups(Vector(i), __xmmword_ptr[rax + Offset(nameof(Registers.Vectors)) + (16 * i)]);
        }

        code.mov(r11, __qword_ptr[rax + Offset(nameof(Registers.Target))]);
        code.mov(r10, __qword_ptr[rax + Offset(nameof(Registers.Call))]);
        for (var i = 0; i < s_general.Length; i++)
        {
            code.mov(s_general[i], __qword_ptr[rax + Offset(nameof(Registers.General)) + (8 * i)]);
        }

        code.mov(forWindows ? rcx : rdi, r10);
        code.call(r11);
        code.mov(rax, __qword_ptr[rsp + place]);
        for (var i = 0; i < s_general.Length; i++)
        {
            code.mov(__qword_ptr[rax + Offset(nameof(Registers.GeneralAfter)) + (8 * i)], s_general[i]);
        }

        for (var i = 0; i < Vectors; i++)
        {
            code.movups(__xmmword_ptr[rax + Offset(nameof(Registers.VectorsAfter)) + (16 * i)], Vector(i));
            code.movups(Vector(i), __xmmword_ptr[rsp + Shadow + (16 * i)]);
        }

        code.add(rsp, place + 8);
        foreach (var register in Enumerable.Reverse(s_general))
        {
            code.pop(register);
        }

        code.ret();
        using var bytes = new MemoryStream();
        code.Assemble(new StreamCodeWriter(bytes), rip: 0);
        return bytes.ToArray();
    }

    private static AssemblerRegisterXMM Vector(int number) => ((AssemblerRegisterXMM[])[xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15])[number];

    private static int Offset(string field) => (int)Marshal.OffsetOf<Registers>(field);

    private struct Registers
    {
        public nint Target;
        public TileProduct.Call* Call;
        public fixed long General[8];
        public fixed long Vectors[2 * CallingConventionTests.Vectors];
        public fixed long GeneralAfter[8];
        public fixed long VectorsAfter[2 * CallingConventionTests.Vectors];
    }
}
