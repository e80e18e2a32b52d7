using System.Reflection;

[assembly: CollectionBehavior(DisableTestParallelization = true)] // builds compete for the machine

namespace Diffusion.Build.Tests;

/// <summary>What the project file recorded when this assembly was built.</summary>
internal static class Properties
{
    public static string Targets => Path.GetFullPath(Value("Targets"));

    public static string NativeLibrary => Value("NativeLibrary");

    public static string TorchSharpVersion => Value("TorchSharpVersion");

    public static string LibTorchVersion => Value("LibTorchVersion");

    public static string SkiaSharpVersion => Value("SkiaSharpVersion");

    private static string Value(string key) =>
        typeof(Properties).Assembly.GetCustomAttributes<AssemblyMetadataAttribute>().Single(a => a.Key == key).Value!;
}
