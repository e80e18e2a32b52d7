using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Diffusion.Kernels;

/// <summary>Where a function of machine code lies in the memory of many: RUNTIME_FUNCTION of Windows.</summary>
/// <param name="Begin">Its first byte.</param>
/// <param name="End">The byte behind its last.</param>
/// <param name="Info">Its <see cref="UnwindInfo"/>.</param>
internal readonly partial record struct UnwindFunction(int Begin, int End, int Info)
{
    private const int Size = 12;

    /// <summary>Functions in the order of their places, as Windows reads them.</summary>
    public static byte[] Table(IReadOnlyList<UnwindFunction> functions)
    {
        var table = new byte[Size * functions.Count];
        for (var i = 0; i < functions.Count; i++)
        {
            var entry = table.AsSpan(Size * i, Size);
            BinaryPrimitives.WriteInt32LittleEndian(entry, functions[i].Begin);
            BinaryPrimitives.WriteInt32LittleEndian(entry[4..], functions[i].End);
            BinaryPrimitives.WriteInt32LittleEndian(entry[8..], functions[i].Info);
        }

        return table;
    }

    /// <summary>Tells Windows of functions, whose code, table and information stay where they are until the process ends.</summary>
    /// <param name="table">Of the functions.</param>
    /// <param name="count">How many there are.</param>
    /// <param name="place">What their places count from.</param>
    /// <returns>Whether it took them. Where it does not they run as well; exceptions and debuggers may not find their callers.</returns>
    [SupportedOSPlatform("windows")]
    public static bool Announce(nint table, int count, nint place) => RtlAddFunctionTable(table, (uint)count, (ulong)place) != 0;

    [SupportedOSPlatform("windows")]
    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial byte RtlAddFunctionTable(nint table, uint count, ulong place);
}
