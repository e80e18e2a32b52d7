using System.Buffers.Binary;
using System.IO.MemoryMappedFiles;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// A safetensors file opened for reading: what it holds is known at once, tensors are read one by one. Nothing in such a file is executable.
/// The header is checked in full when the file is opened. The data are mapped and go from there straight into a tensor's memory, so that a file
/// of any size takes no managed memory but for its header. Several threads may read from one instance, at the same time.
/// </summary>
/// <remarks>
/// Source: the safetensors format, https://huggingface.co/docs/safetensors. Tensors of the types that TorchSharp lacks (the unsigned integers of over
/// 8 bits and the floats of up to 8) are listed and cannot be read; the others of their file can. A file that another process cuts off between two reads is reported; like any mapped file it must not shrink during one.
/// </remarks>
internal sealed class SafetensorsFile : IDisposable
{
    /// <summary>The most bytes that a header may have: the format's own limit.</summary>
    internal const long MaximumHeaderLength = 100_000_000;

    private readonly FileStream _stream;
    private readonly MemoryMappedFile _map;
    private readonly SafetensorsHeader _header;
    private readonly long _dataStart;

    private SafetensorsFile(FileStream stream, SafetensorsHeader header, long dataStart)
    {
        (_stream, _header, _dataStart) = (stream, header, dataStart);
        _map = MemoryMappedFile.CreateFromFile(stream, mapName: null, capacity: 0, MemoryMappedFileAccess.Read, HandleInheritability.None, leaveOpen: true);
        Tensors = _header.Entries.Where(item => item.Value.Info is not null).ToDictionary(item => item.Key, item => item.Value.Info!, StringComparer.Ordinal);
        Unreadable = _header.Entries.Where(item => item.Value.Info is null).ToDictionary(item => item.Key, item => item.Value.Description, StringComparer.Ordinal);
    }

    /// <summary>The text that goes with the tensors: the header's <c>__metadata__</c>. Empty where the file has none.</summary>
    public IReadOnlyDictionary<string, string> Metadata => _header.Metadata;

    /// <summary>The types and shapes of the tensors that can be read, by their names.</summary>
    public IReadOnlyDictionary<string, TensorInfo> Tensors { get; }

    /// <summary>The tensors of types that TorchSharp lacks, by their names: <c>F8_E4M3 [8, 3]</c>.</summary>
    public IReadOnlyDictionary<string, string> Unreadable { get; }

    /// <summary>Opens a file and checks its header. No more memory is taken than the header has bytes, times a small factor.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file breaks the format; the message names the file and the reason.</exception>
    public static SafetensorsFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (FileContent.IsEmpty(path))
        {
            throw new InvalidDataException($"'{path}' is not a valid safetensors file: it is empty, or no plain file; it has 0 bytes and needs at least {sizeof(ulong)}.");
        }

        // No buffer: tensors are read straight into their memory.
        var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
        try
        {
            return Open(stream);
        }
        catch (Exception exception) when (exception is InvalidDataException or EndOfStreamException)
        {
            stream.Dispose();
            throw new InvalidDataException($"'{path}' is not a valid safetensors file: {FileContent.Refusal(path, exception.Message, ContentKind.Safetensors)}", exception);
        }
        catch
        {
            stream.Dispose();
            throw;
        }
    }

    /// <summary>Reads a tensor.</summary>
    /// <param name="name">A key of <see cref="Tensors"/>.</param>
    /// <returns>A new tensor on the CPU that the caller, or the caller's dispose scope, owns.</returns>
    /// <exception cref="KeyNotFoundException">The file has no such tensor; the message names both.</exception>
    /// <exception cref="InvalidDataException">The tensor has a type that TorchSharp lacks, the file was cut off after it was opened, or has a bool that is neither 0 nor 1.</exception>
    /// <exception cref="ObjectDisposedException">The file was closed.</exception>
    public Tensor Read(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        if (!_header.Entries.TryGetValue(name, out var entry))
        {
            throw new KeyNotFoundException($"'{_stream.Name}' has no tensor '{name}'.");
        }

        if (entry.Info is not { } info)
        {
            throw new InvalidDataException(
                $"'{_stream.Name}' cannot be read: its tensor '{name}' of the shape [{string.Join(", ", entry.Shape)}] has the dtype '{entry.TypeName}', which TorchSharp does not have: convert it where the file comes from, for example to F32.");
        }

        var tensor = empty([.. info.Shape], info.Type, CPU);
        try
        {
            Fill(tensor, entry);
            return tensor;
        }
        catch (Exception exception)
        {
            tensor.Dispose();
            throw exception switch
            {
                EndOfStreamException => new InvalidDataException($"'{_stream.Name}' ends before the end of tensor '{name}'; it was whole when it was opened.", exception),
                InvalidDataException => new InvalidDataException($"'{_stream.Name}' has an invalid tensor '{name}': {exception.Message}.", exception),
                _ => exception,
            };
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _map.Dispose();
        _stream.Dispose();
    }

    /// <summary>Reads all tensors.</summary>
    /// <exception cref="InvalidDataException">As <see cref="Read"/>: also where one of them has a type that TorchSharp lacks, before any is read.</exception>
    public TensorDictionary ReadAll()
    {
        using var scope = NewDisposeScope();
        return new TensorDictionary(Unreadable.Keys.Concat(Tensors.Keys).Select(name => KeyValuePair.Create(name, Read(name))));
    }

    private void Fill(Tensor tensor, SafetensorsHeader.Entry entry)
    {
        var fileLength = _stream.Length; // also where the tensor is empty: throws if the file was closed
        if (entry.Begin == entry.End)
        {
            return; // a view of no bytes would be one of all the rest
        }

        // To touch mapped bytes behind the file's end would end the process.
        if (_dataStart + entry.End > fileLength)
        {
            throw new EndOfStreamException();
        }

        using var view = _map.CreateViewAccessor(_dataStart + entry.Begin, entry.End - entry.Begin, MemoryMappedFileAccess.Read);
        // The view's own stream would go through a managed buffer of the tensor's size.
        using var stream = new UnmanagedMemoryStream(view.SafeMemoryMappedViewHandle, view.PointerOffset, entry.End - entry.Begin);
        TensorBytes.Read(stream, tensor);
    }

    private static SafetensorsFile Open(FileStream stream)
    {
        Span<byte> prefix = stackalloc byte[sizeof(ulong)];
        var length = stream.Length;
        if (length < prefix.Length)
        {
            throw new InvalidDataException($"it has {length} bytes and needs at least {prefix.Length}");
        }

        stream.ReadExactly(prefix);
        var headerLength = BinaryPrimitives.ReadUInt64LittleEndian(prefix);
        if (headerLength > MaximumHeaderLength || headerLength > (ulong)(length - prefix.Length))
        {
            throw new InvalidDataException(
                $"its header should have {headerLength} bytes, the file has {length}, and {MaximumHeaderLength} are the most possible{(headerLength <= MaximumHeaderLength ? "; a download that was cut off looks like this" : "")}");
        }

        var json = new byte[headerLength];
        stream.ReadExactly(json);
        var dataStart = prefix.Length + (long)headerLength;
        return new SafetensorsFile(stream, SafetensorsHeader.Parse(json, length - dataStart), dataStart);
    }
}
