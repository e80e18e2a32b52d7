using System.Runtime.InteropServices;

namespace Diffusion.Kernels;

/// <summary>Memory that holds machine code: written first, then read-only and executable, until the process ends.</summary>
internal static unsafe partial class ExecutableMemory
{
    /// <summary>Puts code where it can be called.</summary>
    /// <param name="code">Machine code that does not depend on where it lies.</param>
    /// <returns>Its address; 0 where the system does not allow it.</returns>
    public static nint Place(ReadOnlySpan<byte> code)
    {
        try
        {
            return OperatingSystem.IsLinux() ? PlaceOnLinux(code) : OperatingSystem.IsWindows() ? PlaceOnWindows(code) : 0;
        }
        catch (Exception e) when (e is DllNotFoundException or EntryPointNotFoundException)
        {
            return 0;
        }
    }

    private static nint PlaceOnLinux(ReadOnlySpan<byte> code)
    {
        const int read = 1, write = 2, execute = 4, privately = 2, anonymously = 0x20;
        var place = Map(0, (nuint)code.Length, read | write, privately | anonymously, -1, 0);
        if (place == -1)
        {
            return 0;
        }

        code.CopyTo(new Span<byte>((void*)place, code.Length));
        return Protect(place, (nuint)code.Length, read | execute) == 0 ? place : 0;
    }

    private static nint PlaceOnWindows(ReadOnlySpan<byte> code)
    {
        const uint commitAndReserve = 0x3000, readWrite = 0x04, executeRead = 0x20;
        var place = VirtualAlloc(0, (nuint)code.Length, commitAndReserve, readWrite);
        if (place == 0)
        {
            return 0;
        }

        code.CopyTo(new Span<byte>((void*)place, code.Length));
        return VirtualProtect(place, (nuint)code.Length, executeRead, out _) != 0 ? place : 0;
    }

    [LibraryImport("libc", EntryPoint = "mmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [LibraryImport("libc", EntryPoint = "mprotect")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Protect(nint address, nuint length, int protection);

    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int VirtualProtect(nint address, nuint size, uint protection, out uint before);
}
