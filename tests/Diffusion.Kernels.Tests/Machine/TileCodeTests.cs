using Iced.Intel;
using Xunit;

namespace Diffusion.Kernels.Tests;

/// <summary>What the assembled code consists of: a processor that has more than a level asks for would run a stray instruction of another unnoticed.</summary>
public sealed class TileCodeTests
{
    private const int FirstOfCallerOnWindows = 6;
    private const int RegistersOfAvx2 = 16;

    public static TheoryData<ProcessorLevel, bool> Codes => new(
        from level in new[] { ProcessorLevel.Avx2, ProcessorLevel.Avx512, ProcessorLevel.Avx512BFloat16 }
        from forWindows in new[] { false, true }
        select (level, forWindows));

    [Theory]
    [MemberData(nameof(Codes))]
    public void Make_MemoryRefused_HasNoCode(ProcessorLevel level, bool forWindows) => Assert.Null(TileCode.Make(level, forWindows, static _ => 0));

    [Theory]
    [MemberData(nameof(Codes))]
    public void Make_EachLevel_HasAllShapesInOnePlace(ProcessorLevel level, bool forWindows)
    {
        var places = 0;
        var code = TileCode.Make(level, forWindows, bytes =>
        {
            places++;
            Assert.InRange(bytes.Length, 1, 1 << 16);
            return 64;
        })!;

        Assert.Equal(1, places);
        Assert.Equal(64, code.Of(new TileShape(4, 4, 1, 1, TileStart.Zero)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Make_Avx2_HasNoInstructionOfAnotherLevelAndSixteenRegisters(bool forWindows)
    {
        foreach (var instruction in Functions(ProcessorLevel.Avx2, forWindows).SelectMany(function => function))
        {
            var features = instruction.Code.CpuidFeatures();

            Assert.True(instruction.Code.Encoding() is EncodingKind.VEX or EncodingKind.Legacy, $"{instruction} is encoded as {instruction.Code.Encoding()}.");
            Assert.True(instruction.Mnemonic == Mnemonic.Prefetcht1 || !features.Contains(CpuidFeature.SSE), $"{instruction} changes halves of registers.");
            Assert.All(features, feature => Assert.Contains(feature, new[] { CpuidFeature.SSE, CpuidFeature.AVX, CpuidFeature.AVX2, CpuidFeature.FMA, CpuidFeature.X64, CpuidFeature.INTEL8086, CpuidFeature.INTEL386 }));
            Assert.All(Vectors(instruction), number => Assert.InRange(number, 0, RegistersOfAvx2 - 1));
        }
    }

    /// <summary>Windows: xmm6 to xmm15, rbx, rbp, rsi, rdi and r12 to r15 belong to the caller. Linux: rbx, rbp and r12 to r15.</summary>
    [Theory]
    [MemberData(nameof(Codes))]
    public void Make_EachConvention_PutsBackWhatBelongsToTheCaller(ProcessorLevel level, bool forWindows)
    {
        Register[] general = forWindows
            ? [Register.RBX, Register.RBP, Register.RSI, Register.RDI, Register.R12, Register.R13, Register.R14, Register.R15]
            : [Register.RBX, Register.RBP, Register.R12, Register.R13, Register.R14, Register.R15];
        Register[] vectors = forWindows ? [.. Enumerable.Range(FirstOfCallerOnWindows, 10).Select(i => Register.XMM0 + i)] : [];
        foreach (var function in Functions(level, forWindows))
        {
            Assert.DoesNotContain(function[1..], instruction => MachineCode.Writes(instruction, Register.R11)); // where the call lies
            foreach (var register in general.Concat(vectors).Where(register => function.Exists(instruction => MachineCode.Writes(instruction, register))))
            {
                AssertPutBack(function, register);
            }
        }
    }

    [Fact]
    public void Make_Windows_ReadsTheCallFromTheFirstRegisterOfItsConvention()
    {
        Assert.All(Functions(ProcessorLevel.Avx2, forWindows: true), function => Assert.Equal(Register.RCX, function[0].Op1Register));
        Assert.All(Functions(ProcessorLevel.Avx2, forWindows: false), function => Assert.Equal(Register.RDI, function[0].Op1Register));
    }

    /// <summary>A register that is written is put on the stack before, and taken from the same place after the last time.</summary>
    private static void AssertPutBack(List<Instruction> function, Register register)
    {
        var writes = function.FindAll(instruction => MachineCode.Writes(instruction, register));
        var (first, last) = (function.IndexOf(writes[0]), writes[^1]);
        if (register.IsGPR())
        {
            Assert.Single(function.Take(first), instruction => instruction.Mnemonic == Mnemonic.Push && instruction.Op0Register == register);
            Assert.Equal(Mnemonic.Pop, last.Mnemonic);
            Assert.Equal(Pushed(function), Popped(function));
        }
        else
        {
            var stored = function.Take(first).Single(instruction => instruction.Op0Kind == OpKind.Memory && instruction.Op1Register == register);
            Assert.Equal((OpKind.Memory, Register.RSP, stored.MemoryDisplacement64), (last.Op1Kind, last.MemoryBase, last.MemoryDisplacement64));
        }
    }

    private static IEnumerable<Register> Pushed(List<Instruction> function) => function.Where(instruction => instruction.Mnemonic == Mnemonic.Push).Select(instruction => instruction.Op0Register);

    private static IEnumerable<Register> Popped(List<Instruction> function) => Enumerable.Reverse(function).Where(instruction => instruction.Mnemonic == Mnemonic.Pop).Select(instruction => instruction.Op0Register);

    private static IEnumerable<int> Vectors(Instruction instruction) =>
        Enumerable.Range(0, instruction.OpCount).Where(i => instruction.GetOpKind(i) == OpKind.Register).Select(instruction.GetOpRegister).Where(register => register.IsVectorRegister()).Select(register => register.GetNumber());

    /// <summary>The functions of a level, decoded: each ends with ret and begins at a multiple of 64 bytes.</summary>
    private static List<List<Instruction>> Functions(ProcessorLevel level, bool forWindows)
    {
        byte[] bytes = [];
        var made = TileCode.Make(level, forWindows, code =>
        {
            bytes = code.ToArray();
            return 64;
        })!;
        var functions = made.Functions.Select(function => MachineCode.Decode(bytes, function)).ToList();

        Assert.NotEmpty(functions);
        Assert.All(made.Functions, function => Assert.Equal(0, function.Begin % 64));
        Assert.All(functions, function => Assert.Equal(Mnemonic.Ret, function[^1].Mnemonic));
        return functions;
    }
}
