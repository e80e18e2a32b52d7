using System.Globalization;
using System.Runtime.InteropServices;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>
/// Sums of features as a safetensors file: for each part that begins with shard F and has 2^L shards, <c>F.L.images</c> (int64), <c>F.L.mean</c> [D] and <c>F.L.scatter</c> [D, D] (float64: the sums of the products of
/// deviations from the mean), and <c>format</c> in the metadata.
/// </summary>
internal static class SumsFile
{
    private const string Key = "format";
    private const string Format = "diffusion.feature-sums.1";
    private const int MaxLevel = 30;

    public static void Write(string path, IReadOnlyList<(int First, int Level, FeatureMoments Moments)> nodes)
    {
        using var scope = NewDisposeScope();
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var (first, level, moments) in nodes)
        {
            var d = moments.Features;
            tensors.Add($"{first}.{level}.images", tensor(moments.Images, dtype: ScalarType.Int64));
            tensors.Add($"{first}.{level}.mean", tensor(moments.Mean.ToArray(), [d], dtype: ScalarType.Float64));
            tensors.Add($"{first}.{level}.scatter", tensor(moments.Scatter.ToArray(), [d, d], dtype: ScalarType.Float64));
        }

        Safetensors.Save(path, tensors, new Dictionary<string, string> { [Key] = Format });
    }

    /// <exception cref="InvalidDataException">The file holds something else.</exception>
    public static IReadOnlyList<(int First, int Level, FeatureMoments Moments)> Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        var format = file.Metadata.GetValueOrDefault(Key);
        if (format != Format)
        {
            throw Refused(path, format is null ? $"its metadata have no '{Key}'" : $"its '{Key}' is '{format}'; '{Format}' is needed");
        }

        var names = file.Tensors.Keys.Concat(file.Unreadable.Keys).ToHashSet(StringComparer.Ordinal);
        var nodes = new List<(int First, int Level, FeatureMoments Moments)>();
        foreach (var part in names.Where(name => name.EndsWith(".images", StringComparison.Ordinal)).Select(name => name[..^".images".Length]).Order(StringComparer.Ordinal))
        {
            var (first, level) = Shards(part) ?? throw Refused(path, $"'{part}' names no shards");
            nodes.Add((first, level, Moments(file, path, part)));
            names.ExceptWith([$"{part}.images", $"{part}.mean", $"{part}.scatter"]);
        }

        return names.Count > 0 ? throw Refused(path, $"its tensor '{names.Order(StringComparer.Ordinal).First()}' belongs to nothing")
            : nodes.Count == 0 ? throw Refused(path, "it has no shards")
            : nodes;
    }

    private static (int First, int Level)? Shards(string part) =>
        part.Split('.') is [var start, var size]
        && int.TryParse(start, NumberStyles.None, CultureInfo.InvariantCulture, out var first)
        && int.TryParse(size, NumberStyles.None, CultureInfo.InvariantCulture, out var level)
        && level <= MaxLevel && first % (1 << level) == 0 ? (first, level) : null;

    private static FeatureMoments Moments(SafetensorsFile file, string path, string part)
    {
        using var scope = NewDisposeScope();
        var d = file.Tensors.GetValueOrDefault($"{part}.mean") is { Type: ScalarType.Float64, Shape: [>= 1 and <= FeatureStatistics.MaxFeatures and var size] } ? size : throw Refused(path, $"its '{part}.mean' is no [D] of float64");
        if (file.Tensors.GetValueOrDefault($"{part}.scatter") is not { Type: ScalarType.Float64, Shape: [var rows, var columns] } || rows != d || columns != d)
        {
            throw Refused(path, $"its '{part}.scatter' is no [{d}, {d}] of float64");
        }

        if (file.Tensors.GetValueOrDefault($"{part}.images") is not { Type: ScalarType.Int64, Shape: [] } || file.Read($"{part}.images").item<long>() is not (>= 1 and var images))
        {
            throw Refused(path, $"its '{part}.images' is no number of at least 1");
        }

        var (mean, scatter) = (Values(file, $"{part}.mean"), Values(file, $"{part}.scatter"));
        return Matrix.Problem(mean, scatter, (int)d, tolerance: 0) is { } problem ? throw Refused(path, $"in its '{part}' {problem}") : new(images, mean, scatter);
    }

    private static double[] Values(SafetensorsFile file, string name) => MemoryMarshal.Cast<byte, double>(file.Read(name).bytes).ToArray();

    private static InvalidDataException Refused(string path, string reason) => new($"'{path}' holds no sums of features: {reason}.");
}
