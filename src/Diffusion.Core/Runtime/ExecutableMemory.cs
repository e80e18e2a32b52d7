using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Diffusion;

/// <summary>Memory that holds machine code: written first, then read-only and executable, until the process ends.</summary>
internal static unsafe partial class ExecutableMemory
{
    /// <summary>Whether the system lets this program make code, as far as a first piece of it tells.</summary>
    public static bool IsAllowed() => Place([0xC3]) != 0; // ret

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

    [SupportedOSPlatform("linux")]
    private static nint PlaceOnLinux(ReadOnlySpan<byte> code)
    {
        const int read = 1, write = 2, execute = 4, privately = 2, anonymously = 0x20;
        var place = Map(0, (nuint)code.Length, read | write, privately | anonymously, -1, 0);
        if (place == -1)
        {
            return 0;
        }

        code.CopyTo(new Span<byte>((void*)place, code.Length));
        if (Protect(place, (nuint)code.Length, read | execute) == 0)
        {
            return place;
        }

        _ = Unmap(place, (nuint)code.Length);
        return 0;
    }

    [SupportedOSPlatform("windows")]
    private static nint PlaceOnWindows(ReadOnlySpan<byte> code)
    {
        const uint commitAndReserve = 0x3000, release = 0x8000, readWrite = 0x04, executeRead = 0x20;
        var place = VirtualAlloc(0, (nuint)code.Length, commitAndReserve, readWrite);
        if (place == 0)
        {
            return 0;
        }

        code.CopyTo(new Span<byte>((void*)place, code.Length));
        if (VirtualProtect(place, (nuint)code.Length, executeRead, out _) != 0)
        {
            return place;
        }

        _ = VirtualFree(place, 0, release);
        return 0;
    }

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "mmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Map(nint address, nuint length, int protection, int flags, int file, nint offset);

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "mprotect")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Protect(nint address, nuint length, int protection);

    [SupportedOSPlatform("linux")]
    [LibraryImport("libc", EntryPoint = "munmap")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Unmap(nint address, nuint length);

    [SupportedOSPlatform("windows")]
    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint VirtualAlloc(nint address, nuint size, uint type, uint protection);

    [SupportedOSPlatform("windows")]
    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int VirtualProtect(nint address, nuint size, uint protection, out uint before);

    [SupportedOSPlatform("windows")]
    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial int VirtualFree(nint address, nuint size, uint type);
}
