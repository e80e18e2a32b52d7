using System.Buffers.Binary;
using System.Globalization;
using System.Numerics;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// The format of <c>torch.save</c> before PyTorch 1.6: five pickles (a magic number, the version, the machine, the value, the keys of the storages)
/// and then the storages, each with its number of elements before it.
/// </summary>
internal static class PyTorchLegacy
{
    private const long Version = 1001;

    private static readonly BigInteger s_magic = BigInteger.Parse("1950a86a20f9469cfc6c", NumberStyles.HexNumber, CultureInfo.InvariantCulture);

    /// <exception cref="InvalidDataException">The file is damaged or refused.</exception>
    /// <exception cref="EndOfStreamException">The file ends early.</exception>
    public static PyTorchFile Read(FileStream stream)
    {
        if (ReadPlain(stream) is not BigInteger magic || magic != s_magic)
        {
            throw new InvalidDataException("it is a pickle, but not one of torch.save: save the weights with torch.save or as safetensors");
        }

        if (ReadPlain(stream) is not Version)
        {
            throw new InvalidDataException($"its version is not {Version}");
        }

        if (ReadPlain(stream) is not IReadOnlyDictionary<string, object?> machine || !machine.TryGetValue("little_endian", out var little) || little is not true)
        {
            throw new InvalidDataException("it was written on a big-endian machine");
        }

        // Storages follow the value that names them: made now, filled below, and together no larger than the file.
        var bytesLeft = stream.Length;
        var storages = new PickleStorages(reference => (bytesLeft -= reference.ByteCount) >= 0
            ? empty(reference.Count, reference.Type, CPU)
            : throw new InvalidDataException($"the storage '{reference.Key}' should have {reference.ByteCount} bytes, more than are left of the file"));
        var start = stream.Position;
        var root = new Unpickler(new PickleReader(stream), storages).Read();
        var length = stream.Position - start;
        Fill(stream, storages);
        return new PyTorchFile(root, length);
    }

    private static object? ReadPlain(FileStream stream) => new Unpickler(new PickleReader(stream), PickleStorages.None).Read();

    private static void Fill(FileStream stream, PickleStorages storages)
    {
        var missing = storages.ByKey.Keys.ToHashSet(StringComparer.Ordinal);
        var keys = ReadPlain(stream) as IReadOnlyList<object?> ?? throw new InvalidDataException("it has no list of storages");
        Span<byte> prefix = stackalloc byte[sizeof(long)];
        foreach (var item in keys)
        {
            if (item is not string key || !missing.Remove(key))
            {
                throw new InvalidDataException($"its storage '{item as string ?? PickleText.Kind(item)}' belongs to no tensor, or occurs twice");
            }

            var elements = storages.ByKey[key].Elements;
            stream.ReadExactly(prefix);
            var count = BinaryPrimitives.ReadInt64LittleEndian(prefix);
            if (count != elements.NumberOfElements)
            {
                throw new InvalidDataException($"the storage '{key}' has {count} elements and should have {elements.NumberOfElements}");
            }

            TensorBytes.Read(stream, elements);
        }

        if (missing.Count > 0)
        {
            throw new InvalidDataException($"the storages '{string.Join("', '", missing.Order(StringComparer.Ordinal))}' are missing");
        }
    }
}
