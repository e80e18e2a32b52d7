using Iced.Intel;

namespace Diffusion.Kernels.Tests;

/// <summary>Reads assembled code.</summary>
internal static class MachineCode
{
    /// <summary>The instructions of a function; their addresses count from the beginning of all.</summary>
    public static List<Instruction> Decode(ReadOnlySpan<byte> all, UnwindFunction function)
    {
        List<Instruction> instructions = [];
        var decoder = Decoder.Create(64, new ByteArrayCodeReader(all[function.Begin..function.End].ToArray()));
        decoder.IP = (ulong)function.Begin;
        while (decoder.IP < (ulong)function.End)
        {
            instructions.Add(decoder.Decode());
            Assert.NotEqual(Code.INVALID, instructions[^1].Code);
        }

        return instructions;
    }

    /// <summary>Whether an instruction changes a register, or the 16 bytes of it that count on Windows.</summary>
    public static bool Writes(Instruction instruction, Register register)
    {
        var info = new InstructionInfoFactory().GetInfo(instruction);
        return instruction.Mnemonic != Mnemonic.Vzeroupper // leaves the lower halves
            && info.GetUsedRegisters().Any(used => used.Access is OpAccess.Write or OpAccess.ReadWrite or OpAccess.CondWrite && Same(used.Register, register));
    }

    private static bool Same(Register one, Register other) => other.IsVectorRegister() ? one.IsVectorRegister() && one.GetNumber() == other.GetNumber() : one.GetFullRegister() == other;
}
