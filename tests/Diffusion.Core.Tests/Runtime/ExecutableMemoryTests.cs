using System.Runtime.InteropServices;

namespace Diffusion.Core.Tests;

public sealed partial class ExecutableMemoryTests
{
    private const uint ExecuteRead = 0x20; // PAGE_EXECUTE_READ

    [Fact]
    public void Place_Code_IsNeverWritableAndExecutable()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux() || OperatingSystem.IsWindows(), "Code is placed on Linux and Windows alone.");
        var place = ExecutableMemory.Place([0xC3]);
        Assert.SkipWhen(place == 0, "This system lets the program make no code.");

        Assert.Equal("r-x", OperatingSystem.IsWindows() ? OnWindows(place) : OnLinux(place));
    }

    [Fact]
    public void IsAllowed_OfThisSystem_IsWhatTheLevelSays() =>
        Assert.Equal(Processor.IsCodeRefused, Processor.Highest == ProcessorLevel.Plain && System.Runtime.Intrinsics.X86.Avx2.IsSupported && System.Runtime.Intrinsics.X86.Fma.IsSupported);

    private static string OnLinux(nint place)
    {
        foreach (var line in File.ReadLines("/proc/self/maps"))
        {
            var parts = line.Split(' ', '-');
            if (place >= Convert.ToInt64(parts[0], 16) && place < Convert.ToInt64(parts[1], 16))
            {
                return line.Split(' ')[1][..3];
            }
        }

        return "not mapped";
    }

    private static string OnWindows(nint place)
    {
        Assert.NotEqual(0, VirtualQuery(place, out var region, Marshal.SizeOf<Region>()));
        return region.Protection == ExecuteRead ? "r-x" : $"protection {region.Protection:x}";
    }

    [LibraryImport("kernel32")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.System32)]
    private static partial nint VirtualQuery(nint address, out Region region, nint size);

    /// <summary>MEMORY_BASIC_INFORMATION of 64 bits.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Region
    {
        public nint Start;
        public nint Allocation;
        public uint FirstProtection;
        public uint Partition;
        public nint Size;
        public uint State;
        public uint Protection;
        public uint Type;
    }
}
