using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Diffusion;

/// <summary>What .NET does not offer of files on Linux and macOS: flushing a folder, and what a file is that is no plain one.</summary>
[UnsupportedOSPlatform("windows")]
internal static unsafe partial class UnixFiles
{
    private const int CurrentFolder = -100; // AT_FDCWD of Linux
    private const uint TypeOnly = 1; // STATX_TYPE of Linux
    private const int ModeInStatx = 28; // of 256 bytes, the same on every architecture and with every C library: the kernel's own layout
    private const int ModeInStat = 4; // of 144 bytes, macOS, where a file's number has 64 bits
    private const int FullFlush = 51; // F_FULLFSYNC of macOS: to the disk itself, not only to its cache
    private const int Interrupted = 4;

    /// <summary>Flushes the names in a folder to the disk.</summary>
    /// <returns>0, or the system's error number.</returns>
    public static int Flush(string folder)
    {
        var file = Open(folder, OperatingSystem.IsMacOS() ? 0x1000000 : 0x80000); // for reading, not for child processes
        if (file < 0)
        {
            return Marshal.GetLastPInvokeError();
        }

        try
        {
            int error;
            do
            {
                error = Synchronize(file) == 0 ? 0 : Marshal.GetLastPInvokeError();
            }
            while (error == Interrupted);
            return error;
        }
        finally
        {
            _ = Close(file);
        }
    }

    /// <summary>The type of a file, behind links: the bits of <c>S_IFMT</c>; 0 where it is not known.</summary>
    public static int TypeOf(string path)
    {
        var status = stackalloc byte[512];
        try
        {
            return OperatingSystem.IsLinux() && Status(CurrentFolder, path, 0, TypeOnly, status) == 0 ? *(ushort*)(status + ModeInStatx) & 0xF000
                : OperatingSystem.IsMacOS() && MacStatus(path, status) == 0 ? *(ushort*)(status + ModeInStat) & 0xF000
                : 0;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            return 0; // an older C library, or one of another name
        }
    }

    /// <summary>As .NET flushes files. Some file systems of macOS can only do the less.</summary>
    private static int Synchronize(int file) => OperatingSystem.IsMacOS() && Control(file, FullFlush) != -1 ? 0 : FlushOnce(file);

    /// <summary>On Intel processors the plain name is the call of old programs, whose numbers of files have 32 bits and move the rest.</summary>
    private static int MacStatus(string path, byte* status) => RuntimeInformation.ProcessArchitecture == Architecture.X64 ? StatusOnIntel(path, status) : Status(path, status);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int FlushOnce(int file);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int file, int command);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int file);

    [LibraryImport("libc", EntryPoint = "statx", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Status(int folder, string path, int flags, uint mask, byte* status);

    [LibraryImport("libc", EntryPoint = "stat", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Status(string path, byte* status);

    [LibraryImport("libc", EntryPoint = "stat$INODE64", StringMarshalling = StringMarshalling.Utf8)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int StatusOnIntel(string path, byte* status);
}
