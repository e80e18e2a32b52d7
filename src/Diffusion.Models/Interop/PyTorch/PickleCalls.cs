using System.Globalization;
using System.Numerics;
using System.Text;
using static TorchSharp.torch;
using Dictionary = System.Collections.Generic.OrderedDictionary<string, object?>;

namespace Diffusion.Models;

/// <summary>What calling the functions of a pickle does.</summary>
internal sealed class PickleCalls(PickleBudget budget, PickleKeys keys)
{
    // What libtorch's element-wise operations take.
    private const int MaximumRank = 64;

    /// <exception cref="InvalidDataException">The arguments are not what the function takes.</exception>
    public object Call(object? function, object? arguments) => (function, arguments) switch
    {
        (PickleFunction.OrderedDict or PickleFunction.Counter, object?[] { Length: 0 }) => new Dictionary(StringComparer.Ordinal),
        (PickleFunction.OrderedDict, object?[] and [List<object?> pairs]) => OrderedDict(pairs),
        (PickleFunction.Counter, object?[] and [Dictionary counts]) => Copy(counts),
        (PickleFunction.Set, object?[] { Length: 0 }) => new List<object?>(),
        (PickleFunction.Set, object?[] and [List<object?> items]) => Copy(items),
        (PickleFunction.Bytes or PickleFunction.ByteArray, object?[] { Length: 0 }) => Array.Empty<byte>(),
        (PickleFunction.ByteArray, object?[] and [byte[] bytes]) => Copy(bytes),
        (PickleFunction.Encode or PickleFunction.ByteArray, object?[] and [string text, "latin1" or "latin-1" or "iso-8859-1"]) => Latin1(text),
        (PickleFunction.Complex, object?[] and [double real, double imaginary]) => new Complex(real, imaginary),
        (PickleFunction.Layout, object?[] and [string layout]) => layout,
        (PickleFunction.RebuildTensor, object?[] and [Storage storage, long offset, object?[] size, object?[] stride, bool, _, .. var rest])
            when rest is [] or [null] or [Dictionary { Count: 0 }]
            => View(storage.Elements, offset, Integers(size), Integers(stride)),
        (PickleFunction.RebuildOlderTensor, object?[] and [Storage storage, long offset, object?[] size, object?[] stride]) => View(storage.Elements, offset, Integers(size), Integers(stride)),
        (PickleFunction.RebuildParameter, object?[] and [Tensor data, bool, _]) => data,
        (PickleFunction.RebuildParameterWithState, object?[] and [Tensor data, bool, _, _]) => data,
        (PickleFunction.RebuildFromType, object?[] and [PickleFunction.RebuildTensor or PickleFunction.RebuildParameter or PickleFunction.RebuildOlderTensor, PickleClass, object?[] inner, _])
            => Call(((object?[])arguments)[0], inner),
        (PickleFunction.Size, object?[] and [object?[] sizes]) => Size(sizes),
        (PickleFunction.Device, object?[] and [string type]) => type,
        (PickleFunction.Device, object?[] and [string type, long index]) => Device(type, index),
        (PickleFunction, _) => throw new InvalidDataException($"its pickle calls {function} with other arguments than it takes"),
        _ => throw new InvalidDataException("its pickle calls something that is no function"),
    };

    private Dictionary OrderedDict(List<object?> pairs)
    {
        budget.Copy(pairs.Count);
        var dictionary = new Dictionary(StringComparer.Ordinal);
        foreach (var pair in pairs)
        {
            if (pair is not IReadOnlyList<object?> { Count: 2 } item)
            {
                throw new InvalidDataException("its pickle builds a dictionary of something other than pairs");
            }

            keys.SetItem(dictionary, item[0], item[1]);
        }

        return dictionary;
    }

    private Dictionary Copy(Dictionary counts)
    {
        budget.Copy(counts.Count);
        return keys.Copy(counts);
    }

    private List<object?> Copy(List<object?> items)
    {
        budget.Copy(items.Count);
        return [.. items];
    }

    private byte[] Copy(byte[] bytes)
    {
        budget.Copy(bytes.Length);
        return [.. bytes];
    }

    private byte[] Latin1(string text)
    {
        budget.Copy(text.Length);
        return text.All(c => c <= 0xFF) ? Encoding.Latin1.GetBytes(text) : throw new InvalidDataException("its pickle has bytes that are written as other text than Latin-1");
    }

    private string Device(string type, long index)
    {
        budget.Copy(type.Length);
        return string.Create(CultureInfo.InvariantCulture, $"{type}:{index}");
    }

    private object?[] Size(object?[] sizes)
    {
        Integers(sizes);
        return sizes; // a tuple, which nothing changes
    }

    private long[] Integers(object?[] items)
    {
        budget.Copy(items.Length);
        return Array.ConvertAll(
            items,
            item => item is long and >= 0 ? (long)item : throw new InvalidDataException($"a size or stride is {(item is long ? item : PickleText.Kind(item))}, not an integer from 0 on"));
    }

    private Tensor View(Tensor storage, long offset, long[] size, long[] stride)
    {
        budget.Tensor();
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
