using System.Runtime.InteropServices;
using TorchSharp;

namespace Diffusion;

/// <summary>libtorch as a native library: whether it loads, and how the process gives it memory and threads.</summary>
public static class DiffusionRuntime
{
    private static readonly Lazy<PlatformNotSupportedException?> s_failure = new(TryLoad);

    /// <summary>
    /// How much of the processor this library's kernels use. By default that is all it has. Less can be asked for, before the first use of the library: the environment variable
    /// <c>DIFFUSION_CPU</c> (<c>avx512bf16</c>, <c>avx512</c>, <c>avx2</c> or <c>plain</c>), or the AppContext value <c>Diffusion.Cpu</c>, which a <c>runtimeconfig.json</c> can set; the variable wins.
    /// </summary>
    /// <remarks>The setting concerns this library's kernels alone: libtorch's are limited by its own variables <c>ATEN_CPU_CAPABILITY</c> and <c>ONEDNN_MAX_CPU_ISA</c>.</remarks>
    /// <exception cref="PlatformNotSupportedException">The setting names no level, or one that this processor lacks.</exception>
    public static ProcessorLevel ProcessorLevel => Processor.Level;

    /// <summary>The processor's name, the level and what kernels do at that level, on one line.</summary>
    /// <exception cref="PlatformNotSupportedException">The setting names no level, or one that this processor lacks.</exception>
    public static string ProcessorDescription => Processor.Description;

    /// <summary>
    /// Whether networks on the CPU use bfloat16 where <see cref="ComputePrecision.BFloat16"/> is asked for. With AVX2 and more, what is between layers is bfloat16, which takes half of the memory; it is
    /// multiplied as such, or becomes float32 while it is read. Without, networks compute in float32 unless libtorch is faster in bfloat16.
    /// </summary>
    /// <exception cref="PlatformNotSupportedException">The setting names no level, or one that this processor lacks.</exception>
    public static bool UsesBFloat16 => Processor.UsesBFloat16;

    /// <summary>Loads libtorch, if it is not loaded yet.</summary>
    /// <exception cref="PlatformNotSupportedException">It cannot be loaded; the message says why and what to install.</exception>
    public static void EnsureLoaded()
    {
        if (s_failure.Value is { } failure)
        {
            throw failure;
        }
    }

    /// <summary>
    /// Keeps freed memory in the process instead of giving it back to the system, which makes the steps of training and sampling faster,
    /// as each takes the same buffers again. The process keeps its largest size, and more than it uses: a freed block is rarely used again as a whole. Call it once, before the
    /// first tensor. On Linux with glibc, and on Windows, where libtorch's memory is mimalloc's; there, what the environment says (<c>MIMALLOC_PURGE_DELAY</c>) stays.
    /// </summary>
    /// <returns>Whether the system was told so.</returns>
    public static bool KeepFreedMemory() => ProcessSettings.KeepFreedMemory(isLoaded: s_failure.IsValueCreated);

    /// <summary>
    /// As <see cref="KeepFreedMemory()"/>, but gives large blocks back at once. Where they are the activations of training (2 MiB is a good bound), the process takes little more than it
    /// uses, for some per cent of the time (docs/performance.md). Only on Linux with glibc.
    /// </summary>
    /// <param name="upTo">The largest block that is kept, in bytes, from 64 KiB to 32 MiB, which is glibc's limit.</param>
    /// <returns>Whether the system was told so.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The bound is smaller or larger.</exception>
    public static bool KeepFreedMemory(int upTo)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(upTo, 64 << 10);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(upTo, 32 << 20);
        return ProcessSettings.KeepFreedMemory(upTo);
    }

    /// <summary>
    /// Lets libtorch's threads sleep soon after each parallel operation, where they would spin for milliseconds: on few processors they stand in the way of .NET's threads,
    /// which do attention and read images, and of other processes. Call it once, before the first tensor. On Linux these threads are GNU OpenMP's, on Windows Intel's, which spin for 200 ms; what the
    /// environment says of them (<c>GOMP_SPINCOUNT</c>, <c>KMP_BLOCKTIME</c>, <c>OMP_WAIT_POLICY</c>) stays.
    /// </summary>
    /// <returns>Whether it was set now.</returns>
    public static bool WaitWithoutSpinning() => ProcessSettings.WaitWithoutSpinning(isLoaded: s_failure.IsValueCreated);

    private static PlatformNotSupportedException? TryLoad()
    {
        try
        {
            using var probe = torch.zeros(1, dtype: torch.ScalarType.Byte);
            return null;
        }
        catch (Exception e) when (e is TypeInitializationException or DllNotFoundException or NotSupportedException or BadImageFormatException or EntryPointNotFoundException)
        {
            return new PlatformNotSupportedException($"libtorch could not be loaded. {Advice()}", e);
        }
    }

    private static string Advice()
    {
        var reason = LoaderMessage();
        if (OperatingSystem.IsLinux() && reason.Contains("GLIBCXX", StringComparison.Ordinal))
        {
            return "TorchSharp's library needs version GLIBCXX_3.4.32 of libstdc++, which this system lacks. "
                + "The package Diffusion.Core adapts the library when the application is built on such a system, unless DiffusionNativeFix is 'off'; "
                + "build with the property DiffusionNativeFix set to 'always' when you build on another system than this one, "
                + "or install libstdc++ of GCC 13.2 or newer (Debian 13, Ubuntu 24.04, Fedora 39 and later have it). The loader said: " + reason;
        }

        return "The application chooses libtorch: add the package libtorch-cpu-linux-x64, libtorch-cpu-win-x64 or libtorch-cpu-osx-arm64 (or a CUDA one) "
            + $"in the version that TorchSharp {typeof(torch).Assembly.GetName().Version?.ToString(3)} asks for." + (reason.Length > 0 ? " The loader said: " + reason : "");
    }

    private static string LoaderMessage()
    {
        var name = OperatingSystem.IsWindows() ? "LibTorchSharp.dll" : OperatingSystem.IsMacOS() ? "libLibTorchSharp.dylib" : "libLibTorchSharp.so";
        var candidates = new[] { AppContext.BaseDirectory, Path.Combine(AppContext.BaseDirectory, "runtimes", RuntimeInformation.RuntimeIdentifier, "native") };
        foreach (var path in candidates.Select(folder => Path.Combine(folder, name)).Where(File.Exists))
        {
            try
            {
                NativeLibrary.Load(path);
            }
            catch (Exception e) when (e is DllNotFoundException or BadImageFormatException)
            {
                return e.Message;
            }
        }

        return "";
    }
}
