using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Diffusion.Models;

/// <summary>Pieces of pickles, written by hand, and the files around them.</summary>
internal static class PickleBytes
{
    public static byte[] Proto => [0x80, 2];

    public static byte[] Text(string text) => [(byte)'X', .. Int32(Encoding.UTF8.GetByteCount(text)), .. Encoding.UTF8.GetBytes(text)];

    public static byte[] Global(string module, string name) => Encoding.UTF8.GetBytes($"c{module}\n{name}\n");

    public static byte[] Integer(long value) => [0x8A, 8, .. Int64(value)];

    public static byte[] Tuple(params byte[][] items) => [(byte)'(', .. items.SelectMany(item => item), (byte)'t'];

    public static byte[] Integers(params long[] values) => Tuple(Array.ConvertAll(values, Integer));

    public static byte[] Call(byte[] function, params byte[][] arguments) => [.. function, .. Tuple(arguments), (byte)'R'];

    public static byte[] Dictionary(params (string Key, byte[] Value)[] items) =>
        [(byte)'}', (byte)'(', .. items.SelectMany(item => (byte[])[.. Text(item.Key), .. item.Value]), (byte)'u'];

    public static byte[] Storage(string type, string key, long count) =>
        [.. Tuple(Text("storage"), Global("torch", type), Text(key), Text("cpu"), Integer(count)), (byte)'Q'];

    public static byte[] Tensor(byte[] storage, long offset, long[] size, long[] stride) => Call(
        Global("torch._utils", "_rebuild_tensor_v2"), storage, Integer(offset), Integers(size), Integers(stride), [0x89], Call(Global("collections", "OrderedDict")));

    /// <summary>A file of the zip format.</summary>
    /// <param name="pickle">The pickle between the protocol and the end.</param>
    /// <param name="storages">Keys and bytes.</param>
    public static byte[] Zip(byte[] pickle, params (string Key, byte[] Bytes)[] storages) =>
        Archive([("file/data.pkl", [.. Proto, .. pickle, (byte)'.']), .. storages.Select(item => ($"file/data/{item.Key}", item.Bytes))]);

    public static byte[] Archive(IEnumerable<(string Name, byte[] Bytes)> records, CompressionLevel level = CompressionLevel.NoCompression)
    {
        using var buffer = new MemoryStream();
        using (var archive = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, bytes) in records)
            {
                using var stream = archive.CreateEntry(name, level).Open();
                stream.Write(bytes);
            }
        }

        return buffer.ToArray();
    }

    /// <summary>A file of the older format.</summary>
    public static byte[] Legacy(byte[] pickle, byte[] keys, byte[] storages, bool littleEndian = true, long version = 1001) =>
    [
        .. Proto, 0x8A, 10, 0x6C, 0xFC, 0x9C, 0x46, 0xF9, 0x20, 0x6A, 0xA8, 0x50, 0x19, (byte)'.',
        .. Proto, .. Integer(version), (byte)'.',
        .. Proto, .. Dictionary(("little_endian", [littleEndian ? (byte)0x88 : (byte)0x89])), (byte)'.',
        .. Proto, .. pickle, (byte)'.',
        .. Proto, .. keys, (byte)'.',
        .. storages,
    ];

    public static byte[] Int64(long value)
    {
        var bytes = new byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        return bytes;
    }

    private static byte[] Int32(int value)
    {
        var bytes = new byte[sizeof(int)];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, value);
        return bytes;
    }
}
