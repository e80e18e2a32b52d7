using System.Runtime.InteropServices;
using Iced.Intel;

namespace Diffusion.Kernels.Tests;

/// <summary>
/// Windows walks from the middle of assembled code to its caller: where an exception, a debugger or a profiler does. The functions are not run for that: a stack is written as each instruction would
/// leave it, and Windows is asked where the caller goes on, and with which registers.
/// </summary>
public sealed unsafe partial class UnwindFunctionTests
{
    private const int ContextBytes = 1232; // CONTEXT
    private const int ContextFlags = 0x30;
    private const int AllRegisters = 0x10001F;
    private const int FirstGeneral = 0x78; // rax; the others in the order of their numbers
    private const int StackEnd = FirstGeneral + (4 * 8);
    private const int NextInstruction = 0xF8;
    private const int FirstVector = 0x1A0;
    private const int StackBytes = 4096;
    private const ulong Caller = 0x123456789A;

    private static readonly Register[] s_general = [Register.RBX, Register.RBP, Register.RSI, Register.RDI, Register.R12, Register.R13, Register.R14, Register.R15];
    private static readonly int[] s_vectors = [.. Enumerable.Range(6, 10)];

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void RtlVirtualUnwind_EachInstruction_FindsTheCallerAndItsRegisters(ProcessorLevel level)
    {
        Assert.SkipUnless(OperatingSystem.IsWindows(), "Only Windows asks for tables of functions.");
        Assert.SkipWhen(level > Processor.Highest, $"This processor ({Processor.Name}) has {Processor.Highest.ToSetting()} at most; {level.ToSetting()} is not there.");
        var code = TileCode.For(level)!;
        foreach (var function in code.Functions)
        {
            var instructions = MachineCode.Decode(new ReadOnlySpan<byte>((void*)code.Place, function.End), function);
            Walk(code.Place, instructions);
        }
    }

    /// <summary>The bytes, as the documentation of x64 exception handling defines them, for a function that is small enough to do by hand.</summary>
    [Fact]
    public void Of_APushAStackAndAVector_IsWhatMicrosoftDocuments()
    {
        var code = new Assembler(bitness: 64);
        code.push(AssemblerRegisters.rbx); // one byte
        code.push(AssemblerRegisters.r12); // two
        code.sub(AssemblerRegisters.rsp, 168); // seven
        code.vmovups(AssemblerRegisters.__xmmword_ptr[AssemblerRegisters.rsp + 16], AssemblerRegisters.xmm7); // six
        code.ret();

        Assert.Equal(
            (byte[])[1, 16, 6, 0, /* xmm7 at 16 */ 16, 0x78, 1, 0, /* 168 = 21 · 8 bytes */ 10, 0x01, 21, 0, /* r12 */ 3, 0xC0, /* rbx */ 1, 0x30],
            UnwindInfo.Of(code.Instructions, [0, 1, 3, 10, 16]));
    }

    private static void Walk(nint place, List<Instruction> instructions)
    {
        var stack = (byte*)NativeMemory.AlignedAlloc(StackBytes, 16);
        var context = (byte*)NativeMemory.AlignedAlloc(ContextBytes, 16);
        try
        {
            // As after the call: the return address lies at the end of the stack, which is 8 bytes from a multiple of 16.
            var end = stack + StackBytes - 256 - 8;
            var atCall = (ulong)end;
            *(ulong*)end = Caller;
            var general = s_general.ToDictionary(register => register, register => Mark(register.GetNumber()));
            var vectors = s_vectors.ToDictionary(number => number, number => Mark(100 + number));
            foreach (var instruction in instructions)
            {
                Unwind(place, instruction, context, end, general, vectors);
                Assert.Equal(Caller, Read(context, NextInstruction));
                Assert.Equal(atCall + 8, Read(context, StackEnd));
                Assert.All(s_general, register => Assert.Equal(Mark(register.GetNumber()), Read(context, FirstGeneral + (8 * register.GetNumber()))));
                Assert.All(s_vectors, number => Assert.Equal(Mark(100 + number), Read(context, FirstVector + (16 * number))));
                Run(instruction, ref end, general, vectors);
            }
        }
        finally
        {
            NativeMemory.AlignedFree(context);
            NativeMemory.AlignedFree(stack);
        }
    }

    /// <summary>What an instruction does to the stack and to the registers that belong to the caller: what it computes is any other number.</summary>
    private static void Run(Instruction instruction, ref byte* end, Dictionary<Register, ulong> general, Dictionary<int, ulong> vectors)
    {
        switch (instruction.Mnemonic)
        {
            case Mnemonic.Push:
                end -= 8;
                *(ulong*)end = general[instruction.Op0Register];
                break;
            case Mnemonic.Pop:
                general[instruction.Op0Register] = *(ulong*)end;
                end += 8;
                break;
            case Mnemonic.Sub when instruction.Op0Register == Register.RSP:
                end -= instruction.GetImmediate(1);
                break;
            case Mnemonic.Add when instruction.Op0Register == Register.RSP:
                end += instruction.GetImmediate(1);
                break;
            case Mnemonic.Vmovups when instruction.MemoryBase == Register.RSP && instruction.Op0Kind == OpKind.Memory:
                *(ulong*)(end + instruction.MemoryDisplacement64) = vectors[instruction.Op1Register.GetNumber()];
                break;
            case Mnemonic.Vmovups when instruction.MemoryBase == Register.RSP:
                vectors[instruction.Op0Register.GetNumber()] = *(ulong*)(end + instruction.MemoryDisplacement64);
                break;
            default:
                Overwrite(instruction, general, vectors);
                break;
        }
    }

    private static void Overwrite(Instruction instruction, Dictionary<Register, ulong> general, Dictionary<int, ulong> vectors)
    {
        foreach (var register in s_general.Where(register => MachineCode.Writes(instruction, register)))
        {
            general[register] = 1;
        }

        foreach (var number in s_vectors.Where(number => MachineCode.Writes(instruction, Register.XMM0 + number)))
        {
            vectors[number] = 1;
        }
    }

    private static void Unwind(nint place, Instruction instruction, byte* context, byte* end, Dictionary<Register, ulong> general, Dictionary<int, ulong> vectors)
    {
        NativeMemory.Clear(context, ContextBytes);
        *(int*)(context + ContextFlags) = AllRegisters;
        *(ulong*)(context + StackEnd) = (ulong)end;
        var next = (ulong)place + instruction.IP;
        *(ulong*)(context + NextInstruction) = next;
        foreach (var (register, value) in general)
        {
            *(ulong*)(context + FirstGeneral + (8 * register.GetNumber())) = value;
        }

        foreach (var (number, value) in vectors)
        {
            *(ulong*)(context + FirstVector + (16 * number)) = value;
        }

        var function = RtlLookupFunctionEntry(next, out var image, 0);
        Assert.NotEqual(0, function);
        Assert.Equal((ulong)place, image);
        RtlVirtualUnwind(0, image, next, function, context, out _, out _, 0);
    }

    private static ulong Mark(int number) => 0x5000_0000_0000_0000 + (ulong)number;

    private static ulong Read(byte* context, int offset) => *(ulong*)(context + offset);

    [LibraryImport("ntdll")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint RtlLookupFunctionEntry(ulong address, out ulong image, nint history);

    [LibraryImport("ntdll")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint RtlVirtualUnwind(uint handler, ulong image, ulong address, nint function, void* context, out nint data, out ulong frame, nint pointers);
}
