using System.Runtime.CompilerServices;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>The processor's levels as a parameter of tests. One that is not there is skipped, with the reason.</summary>
internal static class Levels
{
    /// <summary>All of them: where there are no tiles, operations are libtorch's.</summary>
    public static IReadOnlyList<ProcessorLevel> All { get; } = Enum.GetValues<ProcessorLevel>();

    /// <summary>Those with tiles of float32.</summary>
    public static IReadOnlyList<ProcessorLevel> WithTiles { get; } = [ProcessorLevel.Avx2, ProcessorLevel.Avx512, ProcessorLevel.Avx512BFloat16];

    /// <summary>Those with tiles of bfloat16.</summary>
    public static IReadOnlyList<ProcessorLevel> WithNarrowTiles { get; } = [ProcessorLevel.Avx512BFloat16];

    /// <summary>The types that tiles of a level multiply.</summary>
    public static ScalarType[] Types(ProcessorLevel level) => WithNarrowTiles.Contains(level) ? [ScalarType.Float32, ScalarType.BFloat16] : [ScalarType.Float32];

    /// <summary>Each row at each level, which comes last.</summary>
    public static TheoryDataRow[] Rows(IReadOnlyList<ProcessorLevel> levels, params ITuple[] rows) =>
        [.. from row in rows from level in levels select new TheoryDataRow([.. Enumerable.Range(0, row.Length).Select(i => row[i]), level])];

    /// <summary>Each value at each level, which comes last.</summary>
    public static TheoryDataRow[] Rows<T>(IReadOnlyList<ProcessorLevel> levels, IEnumerable<T> values) => [.. from value in values from level in levels select new TheoryDataRow(value, level)];

    /// <summary>Uses a level until the result is disposed; skips the test where the processor lacks it.</summary>
    public static IDisposable Use(ProcessorLevel level)
    {
        Assert.SkipWhen(level > Processor.Highest, $"This processor ({Processor.Name}) has {Processor.Highest.ToSetting()} at most; {level.ToSetting()} is not there.");
        return Processor.Limit(level);
    }

    /// <summary>Uses a level with tiles until the result is disposed; skips the test where there are none.</summary>
    public static IDisposable UseTiles(ProcessorLevel level)
    {
        var used = Use(level);
        if (TileSupport.Runs)
        {
            return used;
        }

        used.Dispose();
        Assert.Skip("This system does not let programs write code: there are no tiles.");
        return used;
    }
}
