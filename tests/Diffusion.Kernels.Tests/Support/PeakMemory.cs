using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>How much memory of the process something takes at its worst moment. Linux remembers the peak since the process began: what is measured is by how much that rises when it has just been reached.</summary>
internal static class PeakMemory
{
    private const long Margin = 4 << 20;

    /// <summary>Whether this system tells.</summary>
    public static bool IsKnown => OperatingSystem.IsLinux() && Read("VmHWM:") is > 0;

    /// <summary>The bytes by which an action raises the peak.</summary>
    public static long Of(Action action)
    {
        using var scope = NewDisposeScope();
        GC.Collect();
        while (Read("VmRSS:") is { } now && Read("VmHWM:") is { } peak && now < peak)
        {
            _ = ones([(peak - now + Margin) / sizeof(float)], dtype: ScalarType.Float32); // held until the end
        }

        var before = Read("VmHWM:")!.Value;
        action();
        return Read("VmHWM:")!.Value - before;
    }

    private static long? Read(string name) => (from line in File.ReadLines("/proc/self/status")
                                               where line.StartsWith(name, StringComparison.Ordinal)
                                               select (long?)1024 * long.Parse(line.AsSpan(name.Length).Trim().TrimEnd("kB").Trim(), CultureInfo.InvariantCulture)).FirstOrDefault();
}
