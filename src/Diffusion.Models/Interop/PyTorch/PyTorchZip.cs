using System.IO.Compression;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>
/// The zip format of <c>torch.save</c>: a folder of records that are stored, never compressed. <c>data.pkl</c> is the pickle, <c>data/KEY</c> a storage.
/// All the records read may together not be longer than the file, so that records that overlap gain nothing.
/// </summary>
internal sealed class PyTorchZip
{
    private const string PickleName = "data.pkl";

    private readonly Dictionary<string, ZipArchiveEntry> _records = new(StringComparer.Ordinal);
    private readonly string _folder;
    private long _bytesLeft;

    private PyTorchZip(ZipArchive archive, long fileLength)
    {
        _bytesLeft = fileLength;
        foreach (var entry in archive.Entries)
        {
            if (!_records.TryAdd(entry.FullName, entry))
            {
                throw new InvalidDataException($"it has two records '{entry.FullName}'");
            }
        }

        if (ArchiveNames.Program(_records.Keys) is { } program)
        {
            throw new InvalidDataException(program);
        }

        var pickles = _records.Keys.Where(name => name.IndexOf('/') is > 0 and var slash && name[(slash + 1)..] == PickleName).ToList();
        _folder = pickles.Count == 1
            ? pickles[0][..^PickleName.Length]
            : throw new InvalidDataException($"it has {pickles.Count} records {PickleName} and needs one: {ArchiveNames.Describe(_records.Keys)}");
    }

    /// <exception cref="InvalidDataException">The file is damaged or refused.</exception>
    public static PyTorchFile Read(FileStream stream)
    {
        try
        {
            using var archive = Open(stream);
            return new PyTorchZip(archive, stream.Length).Read();
        }
        catch (Exception exception) when (exception is IOException or ArgumentException or NotSupportedException or OverflowException)
        {
            // How the archive's reader reports offsets that lead nowhere.
            throw new InvalidDataException(exception.Message, exception);
        }
    }

    private static ZipArchive Open(FileStream stream)
    {
        try
        {
            return new ZipArchive(stream, ZipArchiveMode.Read, leaveOpen: true);
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"its directory, which is at its end, is missing or damaged, as in a download that was cut off ({exception.Message.TrimEnd('.')})", exception);
        }
    }

    private PyTorchFile Read()
    {
        if (_records.ContainsKey(_folder + "byteorder"))
        {
            var order = ReadBytes("byteorder", maximumLength: 16);
            if (!order.AsSpan().SequenceEqual("little"u8))
            {
                throw new InvalidDataException("it was written on a big-endian machine");
            }
        }

        var pickle = ReadBytes(PickleName, PickleReader.MaximumLength);
        var storages = new PickleStorages(ReadStorage);
        var root = new Unpickler(new PickleReader(new MemoryStream(pickle, writable: false)), storages).Read();
        return new PyTorchFile(root, pickle.Length);
    }

    private Tensor ReadStorage(StorageReference reference)
    {
        using var record = Open($"data/{reference.Key}", out var length);
        if (length != reference.ByteCount)
        {
            throw new InvalidDataException($"the storage '{reference.Key}' has {length} bytes and should have {reference.ByteCount}");
        }

        var elements = empty(reference.Count, reference.Type, CPU);
        TensorBytes.Read(record, elements);
        return elements;
    }

    private byte[] ReadBytes(string name, long maximumLength)
    {
        using var record = Open(name, out var length);
        if (length > maximumLength)
        {
            throw new InvalidDataException($"its record '{name}' has {length} bytes; {maximumLength} are the most possible");
        }

        var bytes = new byte[length];
        record.ReadExactly(bytes);
        return bytes;
    }

    private Stream Open(string name, out long length)
    {
        if (!_records.TryGetValue(_folder + name, out var entry))
        {
            throw new InvalidDataException($"it has no record '{name}'");
        }

        length = entry.Length;
        if (entry.CompressedLength != length || entry.IsEncrypted)
        {
            throw new InvalidDataException($"its record '{name}' is compressed or encrypted, which torch.save never does");
        }

        if (length < 0 || length > _bytesLeft)
        {
            throw new InvalidDataException($"its record '{name}' should have {length} bytes, more than are left of the file");
        }

        _bytesLeft -= length;
        return entry.Open();
    }
}
