using System.Globalization;

namespace Diffusion.Benchmarks;

/// <summary>The memory of this process that is in use, as Linux counts it.</summary>
internal static class ResidentMemory
{
    private const string Status = "/proc/self/status";

    public static bool IsMeasured => OperatingSystem.IsLinux() && File.Exists(Status);

    /// <summary>Bytes in use now.</summary>
    public static long Now => Read("VmRSS:");

    /// <summary>The most bytes ever in use.</summary>
    public static long Peak => Read("VmHWM:");

    private static long Read(string name)
    {
        var line = File.ReadLines(Status).First(text => text.StartsWith(name, StringComparison.Ordinal));
        return 1024 * long.Parse(line.AsSpan(name.Length).TrimEnd("kB").Trim(), NumberStyles.None, CultureInfo.InvariantCulture);
    }
}
