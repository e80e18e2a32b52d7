using System.Runtime.InteropServices;
using System.Runtime.Versioning;

namespace Diffusion;

/// <summary>Settings of the process that native libraries read: glibc's or mimalloc's allocator, and how long OpenMP's threads spin. Variables that are set already stay.</summary>
internal static class ProcessSettings
{
    private const string PurgeDelay = "MIMALLOC_PURGE_DELAY"; // ms
    private const string BlockTime = "KMP_BLOCKTIME"; // ms
    private const string SpinCount = "GOMP_SPINCOUNT";
    private const string WaitPolicy = "OMP_WAIT_POLICY";
    private const string Spins = "1000"; // some microseconds
    private const int TrimThreshold = -1; // M_TRIM_THRESHOLD
    private const int TopPad = -2; // M_TOP_PAD
    private const int MmapThreshold = -3; // M_MMAP_THRESHOLD
    private const int MmapMax = -4; // M_MMAP_MAX

    /// <summary>Keeps freed memory in the process.</summary>
    /// <param name="isLoaded">Whether libtorch is loaded and has read the environment.</param>
    /// <returns>Whether it was set.</returns>
    public static bool KeepFreedMemory(bool isLoaded) =>
        OperatingSystem.IsWindows() ? SetVariable(PurgeDelay, "-1", isLoaded) : SetAllocator(MmapMax, 0); // never; no mappings of single blocks

    /// <summary>Keeps freed blocks up to a size in the process. Only with glibc.</summary>
    /// <param name="upTo">The size in bytes.</param>
    /// <returns>Whether it was set.</returns>
    public static bool KeepFreedMemory(int upTo) => SetAllocator(MmapThreshold, upTo);

    /// <summary>Lets the threads of OpenMP sleep soon after each parallel operation.</summary>
    /// <param name="isLoaded">Whether libtorch is loaded and has read the environment.</param>
    /// <returns>Whether it was set.</returns>
    public static bool WaitWithoutSpinning(bool isLoaded)
    {
        if (Environment.GetEnvironmentVariable(WaitPolicy) is not null)
        {
            return false;
        }

        if (OperatingSystem.IsWindows())
        {
            return SetVariable(BlockTime, "1", isLoaded);
        }

        if (!OperatingSystem.IsLinux() || Environment.GetEnvironmentVariable(SpinCount) is not null || isLoaded)
        {
            return false;
        }

        try
        {
            return SetEnvironment(SpinCount, Spins, 0) == 0; // .NET's own copy of the environment is not the one that libraries see
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Never trim, grow by 64 MB, and what the option says of blocks mapped singly.</summary>
    private static bool SetAllocator(int option, int value)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            return SetMallocOption(option, value) == 1 & SetMallocOption(TrimThreshold, -1) == 1 & SetMallocOption(TopPad, 64 << 20) == 1;
        }
        catch (Exception e) when (e is EntryPointNotFoundException or DllNotFoundException) // musl has no mallopt
        {
            return false;
        }
    }

    /// <summary>Sets a variable that libraries read when they are loaded; on Windows theirs is .NET's.</summary>
    private static bool SetVariable(string variable, string value, bool isLoaded)
    {
        if (Environment.GetEnvironmentVariable(variable) is not null || isLoaded)
        {
            return false;
        }

        Environment.SetEnvironmentVariable(variable, value);
        return true;
    }

    [SupportedOSPlatform("linux")]
    [DllImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetMallocOption(int option, int value);

    [SupportedOSPlatform("linux")]
    [DllImport("libc", EntryPoint = "setenv", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int SetEnvironment(string name, string value, int overwrite);
}
