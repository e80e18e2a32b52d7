using Iced.Intel;

namespace Diffusion.Kernels;

/// <summary>Instructions on vector registers of 4, 8 or 16 floats.</summary>
/// <param name="Level">Of the instructions: those of AVX2 know 16 registers of at most 8 floats, the others 32 of at most 16.</param>
/// <param name="Lanes">The floats of a register.</param>
internal readonly record struct VectorRegisters(ProcessorLevel Level, int Lanes)
{
    private bool IsAvx2 => Level == ProcessorLevel.Avx2;

    /// <summary>The register of a number.</summary>
    public Register this[int number] => Lanes switch { 4 => Register.XMM0, 8 => Register.YMM0, _ => Register.ZMM0 } + number;

    public Instruction Clear(Register register) => Instruction.Create(
        IsAvx2 ? Of(Code.VEX_Vxorps_xmm_xmm_xmmm128, Code.VEX_Vxorps_ymm_ymm_ymmm256) : Of(Code.EVEX_Vpxord_xmm_k1z_xmm_xmmm128b32, Code.EVEX_Vpxord_ymm_k1z_ymm_ymmm256b32, Code.EVEX_Vpxord_zmm_k1z_zmm_zmmm512b32),
        register,
        register,
        register);

    public Instruction Load(Register register, MemoryOperand place) => Instruction.Create(
        IsAvx2 ? Of(Code.VEX_Vmovups_xmm_xmmm128, Code.VEX_Vmovups_ymm_ymmm256) : Of(Code.EVEX_Vmovups_xmm_k1z_xmmm128, Code.EVEX_Vmovups_ymm_k1z_ymmm256, Code.EVEX_Vmovups_zmm_k1z_zmmm512), register, place);

    public Instruction Store(MemoryOperand place, Register register) => Instruction.Create(
        IsAvx2 ? Of(Code.VEX_Vmovups_xmmm128_xmm, Code.VEX_Vmovups_ymmm256_ymm) : Of(Code.EVEX_Vmovups_xmmm128_k1z_xmm, Code.EVEX_Vmovups_ymmm256_k1z_ymm, Code.EVEX_Vmovups_zmmm512_k1z_zmm), place, register);

    /// <summary>The four bytes at a place in every lane.</summary>
    public Instruction Broadcast(Register register, MemoryOperand place) => Instruction.Create(
        IsAvx2 ? Of(Code.VEX_Vbroadcastss_xmm_m32, Code.VEX_Vbroadcastss_ymm_m32) : Of(Code.EVEX_Vbroadcastss_xmm_k1z_xmmm32, Code.EVEX_Vbroadcastss_ymm_k1z_xmmm32, Code.EVEX_Vbroadcastss_zmm_k1z_xmmm32),
        register,
        place);

    public Instruction Add(Register register, MemoryOperand place) => Instruction.Create(
        IsAvx2 ? Of(Code.VEX_Vaddps_xmm_xmm_xmmm128, Code.VEX_Vaddps_ymm_ymm_ymmm256) : Of(Code.EVEX_Vaddps_xmm_k1z_xmm_xmmm128b32, Code.EVEX_Vaddps_ymm_k1z_ymm_ymmm256b32, Code.EVEX_Vaddps_zmm_k1z_zmm_zmmm512b32_er),
        register,
        register,
        place);

    /// <summary>sum += one · other: of floats, or of pairs of bfloat16 that are added up.</summary>
    public Instruction MultiplyAdd(Register sum, Register one, Register other) => Instruction.Create(
        Level switch
        {
            ProcessorLevel.Avx2 => Of(Code.VEX_Vfmadd231ps_xmm_xmm_xmmm128, Code.VEX_Vfmadd231ps_ymm_ymm_ymmm256),
            ProcessorLevel.Avx512 => Of(Code.EVEX_Vfmadd231ps_xmm_k1z_xmm_xmmm128b32, Code.EVEX_Vfmadd231ps_ymm_k1z_ymm_ymmm256b32, Code.EVEX_Vfmadd231ps_zmm_k1z_zmm_zmmm512b32_er),
            _ => Of(Code.EVEX_Vdpbf16ps_xmm_k1z_xmm_xmmm128b32, Code.EVEX_Vdpbf16ps_ymm_k1z_ymm_ymmm256b32, Code.EVEX_Vdpbf16ps_zmm_k1z_zmm_zmmm512b32),
        },
        sum,
        one,
        other);

    private Code Of(Code four, Code eight, Code sixteen = Code.INVALID) => Lanes switch { 4 => four, 8 => eight, _ => sixteen };
}
