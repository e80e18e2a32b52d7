using System.Buffers.Binary;
using System.Text.Encodings.Web;
using System.Text.Json;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>Whole safetensors files: tensors by name, and text that goes with them.</summary>
/// <remarks>Source: the safetensors format, https://huggingface.co/docs/safetensors.</remarks>
public static class Safetensors
{
    // Data begin at a multiple of this, so that a reader can map them.
    private const int Alignment = 8;

    private static readonly JsonWriterOptions s_json = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>
    /// Writes a file, whole or not at all. It is a function of the names, tensors and metadata, not of their order: wider elements come first,
    /// which keeps every tensor aligned to its elements, types of one width in the order of safetensors' own writer, and then names in ordinal order.
    /// </summary>
    /// <param name="path">The file to write; its folder is created if need be.</param>
    /// <param name="tensors">Dense tensors under different names, on any device, contiguous or not: integers, bool, float16, bfloat16, float32, float64
    /// and 64-bit complex. They are not disposed.</param>
    /// <param name="metadata">Text to go with the tensors.</param>
    /// <exception cref="ArgumentException">A name occurs twice, is reserved or is no valid text, or a tensor is sparse or has a type
    /// that the format lacks; the message names it.</exception>
    /// <exception cref="IOException">The file cannot be written.</exception>
    public static void Save(string path, IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata = null)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(tensors);
        if (metadata?.FirstOrDefault(item => !IsText(item.Key) || !IsText(item.Value)).Key is { } invalid)
        {
            throw new ArgumentException($"The metadata '{invalid}' is no valid text: half of a surrogate pair is in it.", nameof(metadata));
        }

        var ordered = Order(tensors);
        var header = WriteHeader(ordered, metadata);
        AtomicFile.Write(path, stream =>
        {
            Span<byte> prefix = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(prefix, (ulong)header.Length);
            stream.Write(prefix);
            stream.Write(header);
            foreach (var (_, tensor) in ordered)
            {
                TensorBytes.Write(stream, tensor);
            }
        });
    }

    /// <summary>Reads all tensors of a file.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The tensors, on the CPU; the caller disposes them.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file is something else, breaks the format, or has a tensor of a type that TorchSharp lacks; the message names the file and the reason.</exception>
    public static TensorDictionary Load(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return file.ReadAll();
    }

    /// <summary>Reads the text that goes with the tensors, and nothing else.</summary>
    /// <param name="path">The file.</param>
    /// <returns>The header's <c>__metadata__</c>; empty where the file has none.</returns>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">The file breaks the format; the message names the file and the reason.</exception>
    public static IReadOnlyDictionary<string, string> ReadMetadata(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return file.Metadata;
    }

    private static KeyValuePair<string, Tensor>[] Order(IEnumerable<KeyValuePair<string, Tensor>> tensors)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var list = new List<KeyValuePair<string, Tensor>>();
        foreach (var (name, tensor) in tensors)
        {
            var problem = name == SafetensorsHeader.MetadataKey ? "has a name that the format reserves"
                : !IsText(name) ? "has a name that is no valid text: half of a surrogate pair is in it"
                : !names.Add(name) ? "occurs twice; every tensor needs its own name"
                : SafetensorsType.Name(tensor.dtype) is null ? $"has the type {tensor.dtype}, which the format lacks"
                : tensor.is_sparse ? "is sparse; a dense one is needed"
                : null;
            if (problem is not null)
            {
                throw new ArgumentException($"The tensor '{name}' {problem}.", nameof(tensors));
            }

            list.Add(KeyValuePair.Create(name, tensor));
        }

        return [.. list.OrderByDescending(item => SafetensorsType.Rank(item.Value.dtype)).ThenBy(item => item.Key, StringComparer.Ordinal)];
    }

    private static bool IsText(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (char.IsSurrogatePair(text, i))
            {
                i++;
            }
            else if (char.IsSurrogate(text[i]))
            {
                return false;
            }
        }

        return true;
    }

    private static byte[] WriteHeader(IEnumerable<KeyValuePair<string, Tensor>> tensors, IReadOnlyDictionary<string, string>? metadata)
    {
        using var buffer = new MemoryStream();
        using (var json = new Utf8JsonWriter(buffer, s_json))
        {
            json.WriteStartObject();
            if (metadata is { Count: > 0 })
            {
                json.WriteStartObject(SafetensorsHeader.MetadataKey);
                foreach (var (key, text) in metadata.OrderBy(item => item.Key, StringComparer.Ordinal))
                {
                    json.WriteString(key, text);
                }

                json.WriteEndObject();
            }

            var offset = 0L;
            foreach (var (name, tensor) in tensors)
            {
                WriteEntry(json, name, tensor, offset, offset += tensor.NumberOfElements * tensor.ElementSize);
            }

            json.WriteEndObject();
        }

        var padding = (Alignment - (buffer.Length % Alignment)) % Alignment;
        for (var i = 0; i < padding; i++)
        {
            buffer.WriteByte((byte)' ');
        }

        return buffer.ToArray();
    }

    private static void WriteEntry(Utf8JsonWriter json, string name, Tensor tensor, long begin, long end)
    {
        json.WriteStartObject(name);
        json.WriteString("dtype", SafetensorsType.Name(tensor.dtype));
        WriteIntegers("shape", tensor.shape);
        WriteIntegers("data_offsets", [begin, end]);
        json.WriteEndObject();

        void WriteIntegers(string property, ReadOnlySpan<long> integers)
        {
            json.WriteStartArray(property);
            foreach (var integer in integers)
            {
                json.WriteNumberValue(integer);
            }

            json.WriteEndArray();
        }
    }
}
