using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>The functions that a pickle may call here. Their own code is below: nothing of the file is ever run.</summary>
internal enum PickleFunction
{
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    Size,
    Device,
}

/// <summary>The list of all that a pickle may name, and what calling it does.</summary>
internal static class PickleGlobals
{
    // What libtorch's element-wise operations take.
    private const int MaximumRank = 64;

    private static readonly Dictionary<(string Module, string Name), object> s_allowed = new()
    {
        [("collections", "OrderedDict")] = PickleFunction.OrderedDict,
        [("torch._utils", "_rebuild_tensor_v2")] = PickleFunction.RebuildTensor,
        [("torch._utils", "_rebuild_parameter")] = PickleFunction.RebuildParameter,
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

    /// <exception cref="InvalidDataException">It is not on the list; the message names it.</exception>
    public static object Find(string module, string name) => s_allowed.TryGetValue((module, name), out var global)
        ? global
        : throw new InvalidDataException(
            $"its pickle names '{module}.{name}' (module '{module}', name '{name}'), which is neither a tensor nor a plain value; such a file could run any code");

    /// <exception cref="InvalidDataException">The arguments are not what the function takes.</exception>
    public static object Call(object? function, object? arguments) => (function, arguments) switch
    {
        (PickleFunction.OrderedDict, object?[] { Length: 0 }) => new OrderedDictionary<string, object?>(StringComparer.Ordinal),
        (PickleFunction.OrderedDict, object?[] and [List<object?> pairs]) => OrderedDict(pairs),
        (PickleFunction.RebuildTensor, object?[] and [Storage storage, long offset, object?[] size, object?[] stride, bool, _, .. var rest])
            when rest is [] or [null] or [OrderedDictionary<string, object?> { Count: 0 }]
            => View(storage.Elements, offset, Integers(size), Integers(stride)),
        (PickleFunction.RebuildParameter, object?[] and [Tensor data, bool, _]) => data,
        (PickleFunction.Size, object?[] and [object?[] sizes]) => Integers(sizes).Select(size => (object?)size).ToArray(),
        (PickleFunction.Device, object?[] and [string type]) => type,
        (PickleFunction.Device, object?[] and [string type, long index]) => string.Create(CultureInfo.InvariantCulture, $"{type}:{index}"),
        (PickleFunction, _) => throw new InvalidDataException($"its pickle calls {function} with other arguments than it takes"),
        _ => throw new InvalidDataException("its pickle calls something that is no function"),
    };

    private static OrderedDictionary<string, object?> OrderedDict(List<object?> pairs)
    {
        var dictionary = new OrderedDictionary<string, object?>(StringComparer.Ordinal);
        foreach (var pair in pairs)
        {
            if (pair is not IReadOnlyList<object?> { Count: 2 } item)
            {
                throw new InvalidDataException("its pickle builds a dictionary of something other than pairs");
            }

            Unpickler.SetItem(dictionary, item[0], item[1]);
        }

        return dictionary;
    }

    private static long[] Integers(object?[] items) => Array.ConvertAll(
        items,
        item => item is long and >= 0 ? (long)item : throw new InvalidDataException($"a size or stride is {item ?? "None"}, not an integer from 0 on"));

    private static Tensor View(Tensor storage, long offset, long[] size, long[] stride)
    {
        if (size.Length != stride.Length || size.Length > MaximumRank)
        {
            throw new InvalidDataException($"a tensor has {size.Length} sizes and {stride.Length} strides; as many of both, and {MaximumRank} at most, are needed");
        }

        // The last element's position. Sizes are multiplied without zeros, as the strides that libtorch computes from them would be.
        Int128 count = 1;
        Int128 last = offset;
        for (var i = 0; i < size.Length; i++)
        {
            last += (Int128)Math.Max(size[i] - 1, 0) * stride[i];
            count *= Math.Max(size[i], 1);
            if (count > long.MaxValue || last > long.MaxValue)
            {
                throw new InvalidDataException($"a tensor of the shape [{string.Join(", ", size)}] is too large");
            }
        }

        if (offset < 0 || (size.Contains(0) ? offset > storage.NumberOfElements : last >= storage.NumberOfElements))
        {
            throw new InvalidDataException(
                $"a tensor of the shape [{string.Join(", ", size)}] with strides [{string.Join(", ", stride)}] from {offset} on does not lie within its storage of "
                + $"{storage.NumberOfElements} elements");
        }

        return storage.as_strided(size, stride, offset);
    }
}
