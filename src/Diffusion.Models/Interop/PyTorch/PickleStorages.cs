using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>The type of a storage's elements: what <c>torch.FloatStorage</c> and the like stand for in a pickle.</summary>
internal sealed record StorageType(ScalarType Type, int ElementSize)
{
    public override string ToString() => "storage type";
}

/// <summary>What a pickle says of a storage before it is read.</summary>
internal readonly record struct StorageReference(string Key, ScalarType Type, long Count, long ByteCount);

/// <summary>A storage: elements without a shape, which one or several tensors view.</summary>
internal sealed record Storage(Tensor Elements)
{
    public override string ToString() => "storage";
}

/// <summary>The storages of a file by their keys; each is read once, when a tensor first needs it.</summary>
internal sealed class PickleStorages(Func<StorageReference, Tensor> read)
{
    private readonly Dictionary<string, Storage> _storages = new(StringComparer.Ordinal);

    /// <summary>For pickles in which there can be none.</summary>
    public static PickleStorages None => new(reference => throw new InvalidDataException($"the storage '{reference.Key}' is where none can be"));

    public IReadOnlyDictionary<string, Storage> ByKey => _storages;

    /// <param name="id">The persistent id: ('storage', type, key, device, number of elements), and in the older format a sixth item for a view, which is None.</param>
    public Storage Get(object? id)
    {
        if (id is not object?[] { Length: 5 or 6 } items
            || items is not ["storage", StorageType type, string key, string, long count, ..]
            || (items.Length == 6 && items[5] is not null))
        {
            throw new InvalidDataException("it refers to a storage in a way that is not known");
        }

        if (count < 0 || count > long.MaxValue / type.ElementSize)
        {
            throw new InvalidDataException($"the storage '{key}' should have {count} elements");
        }

        if (!_storages.TryGetValue(key, out var storage))
        {
            storage = new Storage(read(new StorageReference(key, type.Type, count, count * type.ElementSize)));
            _storages.Add(key, storage);
        }
        else if (storage.Elements.dtype != type.Type || storage.Elements.NumberOfElements != count)
        {
            throw new InvalidDataException($"the storage '{key}' has two types or two sizes");
        }

        return storage;
    }
}
