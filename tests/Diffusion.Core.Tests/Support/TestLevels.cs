namespace Diffusion.Tests;

/// <summary>Levels of every family, ordinary and extreme.</summary>
internal static class TestLevels
{
    /// <summary>Variance preserving, variance exploding, rectified flow; nearly clean, nearly noise, noise alone.</summary>
    public static IReadOnlyList<NoiseLevel> All { get; } =
    [
        new(0.8, 0.6, 100), new(1, 3, 200), new(0.3, 0.7, 700), new(1, 80, 999), new(0.99999, 1e-4, 0), new(1, 0.002, 0), new(0, 1, 999),
    ];

    public static IEnumerable<NoiseLevel> WithImage => All.Where(level => level.Alpha > 0);
}
