using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The names that the format has for element types, and their sizes in bytes.</summary>
internal static class SafetensorsType
{
    private static readonly (string Name, ScalarType Type, int Size)[] s_types =
    [
        ("BOOL", ScalarType.Bool, 1),
        ("U8", ScalarType.Byte, 1),
        ("I8", ScalarType.Int8, 1),
        ("I16", ScalarType.Int16, 2),
        ("F16", ScalarType.Float16, 2),
        ("BF16", ScalarType.BFloat16, 2),
        ("I32", ScalarType.Int32, 4),
        ("F32", ScalarType.Float32, 4),
        ("I64", ScalarType.Int64, 8),
        ("F64", ScalarType.Float64, 8),
        ("C64", ScalarType.ComplexFloat32, 8),
    ];

    private static readonly ScalarType[] s_order =
    [
        ScalarType.Bool, ScalarType.Byte, ScalarType.Int8, ScalarType.Int16, ScalarType.Float16, ScalarType.BFloat16,
        ScalarType.Int32, ScalarType.Float32, ScalarType.ComplexFloat32, ScalarType.Float64, ScalarType.Int64,
    ];

    // The rest of the format's types with their sizes in bits, https://github.com/huggingface/safetensors, safetensors/src/tensor.rs.
    private static readonly (string Name, int Bits)[] s_lacking =
    [
        ("U16", 16), ("U32", 32), ("U64", 64), ("F8_E4M3", 8), ("F8_E5M2", 8), ("F8_E8M0", 8), ("F8_E4M3FNUZ", 8), ("F8_E5M2FNUZ", 8), ("F6_E2M3", 6), ("F6_E3M2", 6), ("F4", 4),
    ];

    /// <summary>The size of an element in bits; <see langword="null"/> where the format has no such type.</summary>
    public static int? Bits(string name) => TryParse(name, out var type) ? 8 * Size(type)
        : Array.Find(s_lacking, entry => entry.Name == name) is { Name: not null } entry ? entry.Bits
        : null;

    /// <summary>Where tensors of a type lie in a file that safetensors itself writes: the highest first. Wider types come before narrower ones.</summary>
    /// <remarks>https://github.com/huggingface/safetensors, safetensors/src/tensor.rs: the order of its types, by which its writer sorts.</remarks>
    public static int Rank(ScalarType type) => Array.IndexOf(s_order, type);

    public static bool TryParse(string name, out ScalarType type)
    {
        foreach (var entry in s_types)
        {
            if (entry.Name == name)
            {
                type = entry.Type;
                return true;
            }
        }

        type = default;
        return false;
    }

    public static string? Name(ScalarType type) => Array.Find(s_types, entry => entry.Type == type).Name;

    public static int Size(ScalarType type) => Array.Find(s_types, entry => entry.Type == type).Size;
}
