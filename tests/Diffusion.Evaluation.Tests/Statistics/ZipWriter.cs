using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Diffusion.Evaluation.Tests;

/// <summary>Writes archives byte by byte, also such as no library writes.</summary>
internal sealed class ZipWriter
{
    private readonly List<byte> _file = [];
    private readonly List<byte[]> _directory = [];

    /// <summary>Adds an entry.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="content">What it holds.</param>
    /// <param name="method">0: stored, 8: deflated, others: claimed.</param>
    /// <param name="isZip64">Whether sizes and offset are in fields of 64 bits.</param>
    /// <param name="size">The size that is claimed; that of the content by default.</param>
    /// <param name="flags">1: encrypted.</param>
    public ZipWriter Add(string name, byte[] content, ushort method = 0, bool isZip64 = false, long? size = null, ushort flags = 0)
    {
        var data = method == 8 ? Deflated(content) : content;
        long offset = _file.Count;
        _file.AddRange(Header(name, content, data, method, isZip64, size ?? content.Length, flags, offset: null));
        _file.AddRange(data);
        _directory.Add(Header(name, content, data, method, isZip64, size ?? content.Length, flags, offset));
        return this;
    }

    /// <summary>The archive.</summary>
    public byte[] Finish()
    {
        var start = _file.Count;
        foreach (var entry in _directory)
        {
            _file.AddRange(entry);
        }

        var end = new byte[22];
        BinaryPrimitives.WriteUInt32LittleEndian(end, 0x06054b50);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(8), (ushort)_directory.Count);
        BinaryPrimitives.WriteUInt16LittleEndian(end.AsSpan(10), (ushort)_directory.Count);
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(12), (uint)(_file.Count - start));
        BinaryPrimitives.WriteUInt32LittleEndian(end.AsSpan(16), (uint)start);
        _file.AddRange(end);
        return [.. _file];
    }

    private static byte[] Header(string name, byte[] content, byte[] data, ushort method, bool isZip64, long size, ushort flags, long? offset)
    {
        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write(offset is null ? 0x04034b50u : 0x02014b50u);
        if (offset is not null)
        {
            writer.Write((ushort)45);
        }

        writer.Write((ushort)45);
        writer.Write(flags);
        writer.Write(method);
        writer.Write(0x00210000u); // 1 January 1980
        writer.Write(Crc32.Of(content));
        writer.Write(isZip64 ? uint.MaxValue : (uint)data.Length);
        writer.Write(isZip64 ? uint.MaxValue : (uint)size);
        var extra = Extra(data, isZip64, size, offset);
        writer.Write((ushort)Encoding.UTF8.GetByteCount(name));
        writer.Write((ushort)extra.Length);
        if (offset is { } at)
        {
            writer.Write(new byte[10]);
            writer.Write(isZip64 ? uint.MaxValue : (uint)at);
        }

        writer.Write(Encoding.UTF8.GetBytes(name));
        writer.Write(extra);
        return bytes.ToArray();
    }

    private static byte[] Extra(byte[] data, bool isZip64, long size, long? offset)
    {
        if (!isZip64)
        {
            return [];
        }

        using var bytes = new MemoryStream();
        using var writer = new BinaryWriter(bytes);
        writer.Write((ushort)1);
        writer.Write((ushort)(offset is null ? 16 : 24));
        writer.Write(size);
        writer.Write((long)data.Length);
        if (offset is { } at)
        {
            writer.Write(at);
        }

        return bytes.ToArray();
    }

    private static byte[] Deflated(byte[] content)
    {
        using var bytes = new MemoryStream();
        using (var deflate = new DeflateStream(bytes, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(content);
        }

        return bytes.ToArray();
    }
}
