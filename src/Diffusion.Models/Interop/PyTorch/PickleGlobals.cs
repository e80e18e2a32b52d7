using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>The list of all that a pickle may name: what the weights-only loader of PyTorch takes, of the types that there are here.</summary>
/// <remarks>pytorch/pytorch, torch/_weights_only_unpickler.py. A name of Python 2, such as __builtin__, is what protocol 2 writes. frozenset and empty bytes are not on the list there.</remarks>
internal static class PickleGlobals
{
    private static readonly Dictionary<(string Module, string Name), object> s_allowed = new()
    {
        [("collections", "OrderedDict")] = PickleFunction.OrderedDict,
        [("collections", "Counter")] = PickleFunction.Counter,
        [("_codecs", "encode")] = PickleFunction.Encode,
        [("torch.serialization", "_get_layout")] = PickleFunction.Layout,
        [("torch._utils", "_rebuild_tensor")] = PickleFunction.RebuildOlderTensor,
        [("torch._utils", "_rebuild_tensor_v2")] = PickleFunction.RebuildTensor,
        [("torch._utils", "_rebuild_parameter")] = PickleFunction.RebuildParameter,
        [("torch._utils", "_rebuild_parameter_with_state")] = PickleFunction.RebuildParameterWithState,
        [("torch._tensor", "_rebuild_from_type_v2")] = PickleFunction.RebuildFromType,
        [("torch", "Tensor")] = new PickleClass("Tensor"),
        [("torch.nn.parameter", "Parameter")] = new PickleClass("Parameter"),
        [("torch", "Size")] = PickleFunction.Size,
        [("torch", "device")] = PickleFunction.Device,
        [("torch", "BoolStorage")] = new StorageType(ScalarType.Bool, 1),
        [("torch", "ByteStorage")] = new StorageType(ScalarType.Byte, 1),
        [("torch", "CharStorage")] = new StorageType(ScalarType.Int8, 1),
        [("torch", "ShortStorage")] = new StorageType(ScalarType.Int16, 2),
        [("torch", "IntStorage")] = new StorageType(ScalarType.Int32, 4),
        [("torch", "LongStorage")] = new StorageType(ScalarType.Int64, 8),
        [("torch", "HalfStorage")] = new StorageType(ScalarType.Float16, 2),
        [("torch", "BFloat16Storage")] = new StorageType(ScalarType.BFloat16, 2),
        [("torch", "FloatStorage")] = new StorageType(ScalarType.Float32, 4),
        [("torch", "DoubleStorage")] = new StorageType(ScalarType.Float64, 8),
        [("torch", "ComplexFloatStorage")] = new StorageType(ScalarType.ComplexFloat32, 8),
        [("torch", "ComplexDoubleStorage")] = new StorageType(ScalarType.ComplexFloat64, 16),
        [("torch", "UntypedStorage")] = new StorageType(ScalarType.Byte, 1),
        [("torch.storage", "UntypedStorage")] = new StorageType(ScalarType.Byte, 1),
    };

    private static readonly Dictionary<string, PickleFunction> s_builtins = new(StringComparer.Ordinal)
    {
        ["set"] = PickleFunction.Set,
        ["frozenset"] = PickleFunction.Set,
        ["bytes"] = PickleFunction.Bytes,
        ["bytearray"] = PickleFunction.ByteArray,
        ["complex"] = PickleFunction.Complex,
    };

    /// <summary>What torch has beside functions, as the text that Python prints: types of elements, and ways to quantize.</summary>
    private static readonly HashSet<string> s_words = new(StringComparer.Ordinal)
    {
        "bool", "uint8", "uint16", "uint32", "uint64", "int8", "int16", "int32", "int64", "float16", "bfloat16", "float32", "float64", "complex32", "complex64", "complex128",
        "float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu", "float4_e2m1fn_x2",
        "quint8", "qint8", "qint32", "quint4x2", "quint2x4", "bits1x8", "bits2x4", "bits4x2", "bits8", "bits16",
        "uint1", "uint2", "uint3", "uint4", "uint5", "uint6", "uint7", "int1", "int2", "int3", "int4", "int5", "int6", "int7",
        "per_tensor_affine", "per_tensor_symmetric", "per_channel_affine", "per_channel_symmetric", "per_channel_affine_float_qparams",
    };

    /// <summary>What builds tensors that this library does not have, and how to save them otherwise.</summary>
    private static readonly Dictionary<(string Module, string Name), string> s_tensors = new()
    {
        [("torch._utils", "_rebuild_tensor_v3")] = "a tensor of a type that is not read here, such as uint16 or float8: convert it in Python, with tensor.to(torch.float32) or tensor.to(torch.int64), and save again",
        [("torch._utils", "_rebuild_sparse_tensor")] = "a sparse tensor: make it dense in Python, with tensor.to_dense(), and save again",
        [("torch._utils", "_rebuild_sparse_csr_tensor")] = "a sparse tensor: make it dense in Python, with tensor.to_dense(), and save again",
        [("torch._utils", "_rebuild_nested_tensor")] = "a nested tensor: take it apart in Python, with tensor.unbind(), and save again",
        [("torch._utils", "_rebuild_qtensor")] = "a quantized tensor: convert it in Python, with tensor.dequantize(), and save again",
        [("torch._utils", "_rebuild_meta_tensor_no_storage")] = "a tensor without values (on the device meta): save the network with its weights loaded",
    };

    /// <exception cref="InvalidDataException">It is not on the list; the message names it.</exception>
    public static object Find(string module, string name) =>
        s_allowed.TryGetValue((module, name), out var global) ? global
        : module is "builtins" or "__builtin__" && s_builtins.TryGetValue(name, out var builtin) ? builtin
        : module == "torch" && s_words.Contains(name) ? $"torch.{name}"
        : s_tensors.TryGetValue((module, name), out var tensor) ? throw new InvalidDataException($"it has {tensor} (its pickle names '{module}.{name}')")
        : throw new InvalidDataException(
            $"its pickle names '{module}.{name}' (module '{module}', name '{name}'), which is neither a tensor nor a plain value; such a file could run any code. "
            + "If you trust it, save its weights alone with Python: checkpoint = torch.load(\"FILE\", weights_only=False), "
            + "torch.save(checkpoint[\"model\"], \"weights.pth\"), with the key that the weights have in place of \"model\"");
}
