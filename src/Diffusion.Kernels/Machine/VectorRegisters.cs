using Iced.Intel;

namespace Diffusion.Kernels;

/// <summary>Instructions on vector registers of 4, 8 or 16 floats.</summary>
internal readonly record struct VectorRegisters(int Lanes)
{
    /// <summary>The register of a number from 0 to 31.</summary>
    public Register this[int number] => Of(Register.XMM0, Register.YMM0, Register.ZMM0) + number;

    public Instruction Clear(Register register) =>
        Instruction.Create(Of(Code.EVEX_Vpxord_xmm_k1z_xmm_xmmm128b32, Code.EVEX_Vpxord_ymm_k1z_ymm_ymmm256b32, Code.EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32), register, register, register);

    public Instruction Load(Register register, MemoryOperand place) =>
        Instruction.Create(Of(Code.EVEX_Vmovups_xmm_k1z_xmmm128, Code.EVEX_Vmovups_ymm_k1z_ymmm256, Code.EVEX_Vmovups_zmm_k1z_zmmm512), register, place);

    public Instruction Store(MemoryOperand place, Register register) =>
        Instruction.Create(Of(Code.EVEX_Vmovups_xmmm128_k1z_xmm, Code.EVEX_Vmovups_ymmm256_k1z_ymm, Code.EVEX_Vmovups_zmmm512_k1z_zmm), place, register);

    /// <summary>The four bytes at a place in every lane.</summary>
    public Instruction Broadcast(Register register, MemoryOperand place) =>
        Instruction.Create(Of(Code.EVEX_Vbroadcastss_xmm_k1z_xmmm32, Code.EVEX_Vbroadcastss_ymm_k1z_xmmm32, Code.EVEX_Vbroadcastss_zmm_k1z_xmmm32), register, place);

    public Instruction Add(Register register, MemoryOperand place) =>
        Instruction.Create(Of(Code.EVEX_Vaddps_xmm_k1z_xmm_xmmm128b32, Code.EVEX_Vaddps_ymm_k1z_ymm_ymmm256b32, Code.EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er), register, register, place);

    /// <summary>sum += one · other: of floats, or of pairs of bfloat16 that are added up.</summary>
    public Instruction MultiplyAdd(bool narrow, Register sum, Register one, Register other)
    {
        var code = narrow
            ? Of(Code.EVEX_Vdpbf16ps_xmm_k1z_xmm_xmmm128b32, Code.EVEX_Vdpbf16ps_ymm_k1z_ymm_ymmm256b32, Code.EVEX_Vdpbf16ps_zmm_k1z_zmm_zmmm512b32)
            : Of(Code.EVEX_Vfmadd231ps_xmm_k1z_xmm_xmmm128b32, Code.EVEX_Vfmadd231ps_ymm_k1z_ymm_ymmm256b32, Code.EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er);
        return Instruction.Create(code, sum, one, other);
    }

    private T Of<T>(T four, T eight, T sixteen) => Lanes switch { 4 => four, 8 => eight, _ => sixteen };
}
