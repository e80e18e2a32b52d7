using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using System.Text;

namespace Diffusion;

/// <summary>
/// The processor, and how much of it this library's kernels use. By default that is all it has. Less can be asked for, before the first use of the library: the environment variable
/// <c>DIFFUSION_CPU</c> (<c>avx512bf16</c>, <c>avx512</c>, <c>avx2</c> or <c>plain</c>), or the AppContext value <c>Diffusion.Cpu</c>, which a <c>runtimeconfig.json</c> can set; the variable wins.
/// </summary>
/// <remarks>The setting concerns this library's kernels alone: libtorch's are limited by its own variables <c>ATEN_CPU_CAPABILITY</c> and <c>ONEDNN_MAX_CPU_ISA</c>.</remarks>
internal static class Processor
{
    private const string Variable = "DIFFUSION_CPU";
    private const string Setting = "Diffusion.Cpu";

    private static readonly Lazy<(ProcessorLevel Level, string? Mistake)> s_chosen = new(Choose);
    private static ProcessorLevel? s_limit;

    /// <summary>The level in use.</summary>
    /// <exception cref="PlatformNotSupportedException">The setting names no level, or one that this processor lacks.</exception>
    public static ProcessorLevel Level => s_limit ?? (s_chosen.Value is { Mistake: { } mistake } ? throw new PlatformNotSupportedException(mistake) : s_chosen.Value.Level);

    /// <summary>
    /// The highest level that this processor, the operating system and the runtime allow. A system that lets this program make no code (Arbitrary Code Guard of Windows, a policy of SELinux)
    /// leaves <see cref="ProcessorLevel.Plain"/>: part of the kernels is assembled at run time.
    /// </summary>
    public static ProcessorLevel Highest { get; } = Allowed(Instructions, ExecutableMemory.IsAllowed);

    /// <summary>
    /// Whether products of bfloat16 are faster than those of float32 on this processor at this level: at <see cref="ProcessorLevel.Avx512BFloat16"/>, and where everything is left to libtorch if its own are.
    /// </summary>
    public static bool MultipliesBFloat16 => Level switch
    {
        ProcessorLevel.Avx512BFloat16 => true,
        ProcessorLevel.Plain => s_libtorchMultipliesBFloat16,
        _ => false,
    };

    /// <summary>
    /// Whether networks on the CPU use bfloat16 where <see cref="ComputePrecision.BFloat16"/> is asked for. With AVX2 and more, what is between layers is bfloat16, which takes half of the memory; it is
    /// multiplied as such, or becomes float32 while it is read (<see cref="MultipliesBFloat16"/>). At <see cref="ProcessorLevel.Plain"/> networks compute in float32 unless libtorch is faster in bfloat16.
    /// </summary>
    public static bool UsesBFloat16 => Level >= ProcessorLevel.Avx2 || MultipliesBFloat16;

    /// <summary>The name that the processor gives itself, or its architecture where it gives none.</summary>
    public static string Name { get; } = Brand() is { Length: > 0 } brand ? brand : RuntimeInformation.ProcessArchitecture.ToString();

    /// <summary>Name, level and what kernels do at that level, on one line.</summary>
    public static string Description =>
        $"{Name}: level {Level.ToSetting()}{(Level == Highest ? "" : $" (this processor has {Highest.ToSetting()})")}, {Kernels(Level, IsCodeRefused)}; {(MultipliesBFloat16 ? "bfloat16 is multiplied as such" : UsesBFloat16 ? "bfloat16 is kept in memory and multiplied in float32" : "bfloat16 runs compute in float32")}";

    /// <summary>Whether the processor has instructions for own kernels and the system refuses the code that they need.</summary>
    internal static bool IsCodeRefused { get; } = Instructions > Highest;

    /// <summary>The level of a processor in a system that lets programs make code, or does not.</summary>
    /// <param name="instructions">Of the processor.</param>
    /// <param name="makesCode">Asked only where there is a level that needs code.</param>
    internal static ProcessorLevel Allowed(ProcessorLevel instructions, Func<bool> makesCode) => instructions == ProcessorLevel.Plain || makesCode() ? instructions : ProcessorLevel.Plain;

    /// <summary>What kernels do at a level.</summary>
    /// <param name="level">In use.</param>
    /// <param name="isCodeRefused">As <see cref="IsCodeRefused"/>.</param>
    internal static string Kernels(ProcessorLevel level, bool isCodeRefused) => level >= ProcessorLevel.Avx2 ? "convolutions, linear maps, attention and whole blocks by own kernels"
        : isCodeRefused ? "operations of the network by libtorch, as this system lets the program make no code for own kernels"
        : "operations of the network by libtorch";

    /// <summary>Uses less than was chosen until the result is disposed, in the whole process: for tests.</summary>
    /// <param name="level">A level that the processor has.</param>
    internal static IDisposable Limit(ProcessorLevel level)
    {
        if (level > Highest)
        {
            throw new PlatformNotSupportedException($"This processor ({Name}) has level {Highest.ToSetting()}; {level.ToSetting()} was asked for.");
        }

        var before = s_limit;
        s_limit = level;
        return new Restored(before);
    }

    /// <summary>Reads a setting.</summary>
    /// <param name="setting">What was asked for; <see langword="null"/> or empty for the highest level.</param>
    /// <param name="source">Where it was asked for.</param>
    /// <param name="highest">What there is.</param>
    /// <returns>The level, or what is wrong with the setting.</returns>
    internal static (ProcessorLevel Level, string? Mistake) Read(string? setting, string source, ProcessorLevel highest)
    {
        if (string.IsNullOrWhiteSpace(setting))
        {
            return (highest, null);
        }

        var levels = Enum.GetValues<ProcessorLevel>();
        foreach (var level in levels)
        {
            if (string.Equals(level.ToSetting(), setting.Trim(), StringComparison.OrdinalIgnoreCase))
            {
                return level <= highest
                    ? (level, null)
                    : (highest, $"{source} asks for '{level.ToSetting()}'; this processor ({Name}) has '{highest.ToSetting()}' at most{Reason}. Leave {source} unset, or set it to {Names(levels.Where(known => known <= highest))}.");
            }
        }

        return (highest, $"{source} is '{setting}'; it must be one of {Names(levels)}, and on this processor ({Name}) at most '{highest.ToSetting()}'{Reason}.");
    }

    private static ProcessorLevel Instructions =>
        Avx512DQ.IsSupported && Avx512BW.VL.IsSupported ? (HasBFloat16 ? ProcessorLevel.Avx512BFloat16 : ProcessorLevel.Avx512)
        : Avx2.IsSupported && Fma.IsSupported ? ProcessorLevel.Avx2
        : ProcessorLevel.Plain;

    private static string Reason => IsCodeRefused ? ", as this system lets the program make no code" : "";

    private static bool HasBFloat16 => X86Base.IsSupported && X86Base.CpuId(0, 0).Eax >= 7 && X86Base.CpuId(7, 0).Eax >= 1 && (X86Base.CpuId(7, 1).Eax & (1 << 5)) != 0; // AVX512_BF16

    // As the processor is, whatever AVX-512 .NET may use, unless libtorch was told to use less. Where .NET uses no intrinsics at all, the processor cannot be asked, and counts as one without.
    private static readonly bool s_libtorchMultipliesBFloat16 = HasBFloat16
        && !IsLimited("ATEN_CPU_CAPABILITY", "avx512") && !IsLimited("ONEDNN_MAX_CPU_ISA", "ALL", "DEFAULT", "BF16", "FP16", "AMX", "AVX10") && !IsLimited("DNNL_MAX_CPU_ISA", "ALL", "DEFAULT", "BF16", "FP16", "AMX", "AVX10");

    private static bool IsLimited(string variable, params ReadOnlySpan<string> enough)
    {
        var value = Environment.GetEnvironmentVariable(variable);
        if (string.IsNullOrEmpty(value))
        {
            return false;
        }

        foreach (var name in enough)
        {
            if (value.Contains(name, StringComparison.OrdinalIgnoreCase))
            {
                return false;
            }
        }

        return true;
    }

    private static (ProcessorLevel Level, string? Mistake) Choose() => Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } variable
        ? Read(variable, Variable, Highest)
        : Read(AppContext.GetData(Setting) as string, Setting, Highest);

    private static string Names(IEnumerable<ProcessorLevel> levels) => string.Join(", ", levels.Reverse().Select(level => $"'{level.ToSetting()}'"));

    private static string Brand()
    {
        const int firstLeaf = unchecked((int)0x80000002);
        if (!X86Base.IsSupported || unchecked((uint)X86Base.CpuId(unchecked((int)0x80000000), 0).Eax) < unchecked((uint)firstLeaf + 2))
        {
            return "";
        }

        var text = new byte[48];
        for (var leaf = 0; leaf < 3; leaf++)
        {
            var (a, b, c, d) = X86Base.CpuId(firstLeaf + leaf, 0);
            MemoryMarshal.Cast<int, byte>([a, b, c, d]).CopyTo(text.AsSpan(16 * leaf));
        }

        return Encoding.ASCII.GetString(text).TrimEnd('\0').Trim();
    }

    private sealed class Restored(ProcessorLevel? before) : IDisposable
    {
        public void Dispose() => s_limit = before;
    }
}
