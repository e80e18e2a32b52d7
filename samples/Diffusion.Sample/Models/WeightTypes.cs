using static TorchSharp.torch;

namespace Diffusion.Sample;

/// <summary>The types that weights can be written in: half of the bytes, and fewer digits.</summary>
internal static class WeightTypes
{
    private static readonly Dictionary<string, ScalarType> s_byName = new(StringComparer.OrdinalIgnoreCase)
    {
        ["float32"] = ScalarType.Float32, ["float16"] = ScalarType.Float16, ["bfloat16"] = ScalarType.BFloat16,
    };

    public static IReadOnlyList<string> Names { get; } = [.. s_byName.Keys];

    /// <returns><see langword="null"/> where none is asked for.</returns>
    /// <exception cref="UsageException">There is no such type.</exception>
    public static ScalarType? Find(string? name) => name is null ? null
        : s_byName.TryGetValue(name, out var type) ? type
        : throw new UsageException($"--type must be one of {string.Join(", ", Names)}; it is '{name}'.");

    /// <summary>Tensors with their floating-point numbers in another type. New ones are the caller's scope's.</summary>
    /// <exception cref="InvalidDataException">A number is too large for the type; the message names the tensor.</exception>
    public static IReadOnlyDictionary<string, Tensor> Convert(IReadOnlyDictionary<string, Tensor> tensors, ScalarType? type, string source)
    {
        if (type is not { } asked)
        {
            return tensors;
        }

        return tensors.ToDictionary(item => item.Key, item => item.Value.is_floating_point() ? Converted(item.Key, item.Value) : item.Value, StringComparer.Ordinal);

        Tensor Converted(string name, Tensor tensor)
        {
            using var scope = NewDisposeScope();
            var converted = tensor.to_type(asked);
            return converted.isfinite().eq(tensor.isfinite()).all().item<bool>()
                ? converted.MoveToOuterDisposeScope()
                : throw new InvalidDataException($"--type {asked}: tensor '{name}' of '{source}' has numbers that are too large for it.");
        }
    }
}
