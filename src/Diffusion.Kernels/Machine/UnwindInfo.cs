using System.Buffers.Binary;
using Iced.Intel;

namespace Diffusion.Kernels;

/// <summary>
/// What Windows has to know of a function to get from its middle to its caller: which instructions at its beginning move the end of the stack or put a register of the caller on it
/// (UNWIND_INFO of "x64 exception handling" in Microsoft's documentation). Without it Windows takes the function for one that keeps all registers and does not touch the stack.
/// </summary>
internal static class UnwindInfo
{
    /// <summary>Of its place in memory.</summary>
    public const int Alignment = 4;

    private const int Version = 1;
    private const int Header = 4;
    private const int Slot = 2;
    private const int Push = 0; // UWOP_PUSH_NONVOL
    private const int Allocate = 1; // UWOP_ALLOC_LARGE, with its size in 8 bytes in one more slot
    private const int SaveVector = 8; // UWOP_SAVE_XMM128, with its place in 16 bytes in one more slot

    /// <summary>Makes it from the function itself.</summary>
    /// <param name="instructions">Of the function. Up to the last that moves the stack's end downwards or keeps a register they are its beginning.</param>
    /// <param name="offsets">Of each from the first, in bytes.</param>
    public static byte[] Of(IReadOnlyList<Instruction> instructions, ReadOnlySpan<uint> offsets)
    {
        List<ushort> slots = []; // the last instruction first
        var length = 0;
        for (var i = 0; i + 1 < instructions.Count; i++)
        {
            if (Read(instructions[i]) is not { } effect)
            {
                continue;
            }

            length = checked((byte)offsets[i + 1]);
            List<ushort> added = [(ushort)(length | (effect.Operation << 8) | (effect.Register << 12))];
            if (effect.Size is { } size)
            {
                added.Add(checked((ushort)size));
            }

            slots.InsertRange(0, added);
        }

        var info = new byte[Header + (Slot * ((slots.Count + 1) / 2 * 2))];
        info[0] = Version;
        info[1] = (byte)length;
        info[2] = checked((byte)slots.Count);
        for (var i = 0; i < slots.Count; i++)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(info.AsSpan(Header + (Slot * i)), slots[i]);
        }

        return info;
    }

    private static (int Operation, int Register, int? Size)? Read(Instruction instruction) => instruction.Mnemonic switch
    {
        Mnemonic.Push => (Push, instruction.Op0Register.GetNumber(), null),
        Mnemonic.Sub when instruction.Op0Register == Register.RSP => (Allocate, 0, (int)instruction.GetImmediate(1) / 8),
        Mnemonic.Vmovups when instruction.MemoryBase == Register.RSP && instruction.Op0Kind == OpKind.Memory => (SaveVector, instruction.Op1Register.GetNumber(), (int)instruction.MemoryDisplacement64 / 16),
        _ => null,
    };
}
