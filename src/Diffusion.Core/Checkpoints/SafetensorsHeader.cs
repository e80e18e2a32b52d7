using System.Globalization;
using System.Text.Json;
using System.Text.Unicode;
using static TorchSharp.torch;

namespace Diffusion;

/// <summary>The JSON header of a safetensors file, checked as a whole: whatever it says holds for a data part of the given length.</summary>
internal sealed class SafetensorsHeader
{
    public const string MetadataKey = "__metadata__";

    // What libtorch's element-wise operations take.
    private const int MaximumRank = 64;

    private static readonly JsonDocumentOptions s_json = new() { AllowDuplicateProperties = false };

    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Entry> _entries = new(StringComparer.Ordinal);

    private SafetensorsHeader()
    {
    }

    public IReadOnlyDictionary<string, string> Metadata => _metadata;

    public IReadOnlyDictionary<string, Entry> Entries => _entries;

    /// <exception cref="InvalidDataException">The header breaks the format; the message is the reason, without the file's name.</exception>
    public static SafetensorsHeader Parse(ReadOnlyMemory<byte> json, long dataLength)
    {
        if (json.IsEmpty || json.Span[0] != (byte)'{')
        {
            throw new InvalidDataException("its header does not begin with '{'");
        }

        if (!Utf8.IsValid(json.Span))
        {
            throw new InvalidDataException("its header is not UTF-8");
        }

        var header = new SafetensorsHeader();
        try
        {
            using var document = JsonDocument.Parse(json, s_json);
            foreach (var property in document.RootElement.EnumerateObject())
            {
                header.Add(property.Name, property.Value, dataLength);
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped half of a surrogate pair.
            throw new InvalidDataException($"its header is not valid JSON: {exception.Message}", exception);
        }

        header.CheckLayout(dataLength);
        return header;
    }

    private void Add(string name, JsonElement value, long dataLength)
    {
        if (value.ValueKind != JsonValueKind.Object)
        {
            throw new InvalidDataException($"'{name}' in its header is no JSON object");
        }

        if (name == MetadataKey)
        {
            foreach (var item in value.EnumerateObject())
            {
                _metadata.Add(item.Name, item.Value.ValueKind == JsonValueKind.String
                    ? item.Value.GetString()!
                    : throw new InvalidDataException($"'{item.Name}' in its metadata is no string"));
            }

            return;
        }

        _entries.Add(name, ReadEntry(name, value, dataLength));
    }

    private static Entry ReadEntry(string name, JsonElement value, long dataLength)
    {
        JsonElement dtype = default, shape = default, offsets = default;
        foreach (var item in value.EnumerateObject())
        {
            switch (item.Name)
            {
                case "dtype": dtype = item.Value; break;
                case "shape": shape = item.Value; break;
                case "data_offsets": offsets = item.Value; break;
                default: throw new InvalidDataException($"tensor '{name}' has the unknown property '{item.Name}'");
            }
        }

        if (dtype.ValueKind != JsonValueKind.String)
        {
            throw new InvalidDataException($"tensor '{name}' has no dtype");
        }

        var typeName = dtype.GetString()!;
        var bits = SafetensorsType.Bits(typeName) ?? throw new InvalidDataException($"tensor '{name}' has the dtype '{typeName}', which the format does not know");
        var sizes = ReadIntegers(name, "shape", shape);
        if (sizes.Length > MaximumRank)
        {
            throw new InvalidDataException($"tensor '{name}' has {sizes.Length} dimensions; {MaximumRank} are possible");
        }

        var bytes = ByteCount(name, bits, sizes);
        var range = ReadIntegers(name, "data_offsets", offsets);
        if (range.Length != 2 || range[0] > range[1] || range[1] > dataLength)
        {
            throw new InvalidDataException(
                $"tensor '{name}' has the data_offsets [{string.Join(", ", range)}], which are no range of the {dataLength} bytes of data"
                + (range.Length == 2 && range[0] <= range[1] ? "; a download that was cut off looks like this" : ""));
        }

        var entry = new Entry(typeName, Array.AsReadOnly(sizes), range[0], range[1]);
        return range[1] - range[0] == bytes
            ? entry
            : throw new InvalidDataException($"tensor '{name}', {entry.Description}, takes {bytes} bytes and has {range[1] - range[0]}");
    }

    private static long[] ReadIntegers(string name, string property, JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Array)
        {
            throw new InvalidDataException($"tensor '{name}' has no {property}, or not as a list");
        }

        var integers = new long[value.GetArrayLength()];
        var index = 0;
        foreach (var item in value.EnumerateArray())
        {
            integers[index++] = item.ValueKind == JsonValueKind.Number && item.TryGetInt64(out var integer) && integer >= 0
                ? integer
                : throw new InvalidDataException($"tensor '{name}' has {item.GetRawText()} in its {property}; integers from 0 on are needed");
        }

        return integers;
    }

    private static long ByteCount(string name, int bits, long[] sizes)
    {
        // Empty dimensions are left out: a shape such as [0, 2⁶², 2⁶²] has no bytes, but no strides that fit a long either.
        var product = sizes.Where(size => size != 0).Aggregate((Int128)bits, (all, size) => all > (Int128)long.MaxValue * 8 ? all : all * size);
        if (product > (Int128)long.MaxValue * 8)
        {
            throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"tensor '{name}' has the shape [{string.Join(", ", sizes)}], which is too large"));
        }

        if (sizes.Contains(0))
        {
            return 0;
        }

        return product % 8 == 0
            ? (long)(product / 8)
            : throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"tensor '{name}' has {product} bits, which are no whole bytes"));
    }

    private void CheckLayout(long dataLength)
    {
        var end = 0L;
        foreach (var (name, entry) in _entries.OrderBy(item => item.Value.Begin).ThenBy(item => item.Value.End))
        {
            if (entry.Begin != end)
            {
                throw new InvalidDataException(entry.Begin < end
                    ? $"the data of tensor '{name}' overlaps another's"
                    : $"{entry.Begin - end} bytes before the data of tensor '{name}' belong to no tensor");
            }

            end = entry.End;
        }

        if (end != dataLength)
        {
            throw new InvalidDataException($"{dataLength - end} bytes at its end belong to no tensor");
        }
    }

    /// <summary>A tensor and where its data lie, counted from the end of the header.</summary>
    public sealed record Entry(string TypeName, IReadOnlyList<long> Shape, long Begin, long End)
    {
        /// <summary>The type and the shape; <see langword="null"/> where TorchSharp lacks the type.</summary>
        public TensorInfo? Info { get; } = SafetensorsType.TryParse(TypeName, out var type) ? new TensorInfo(type, Shape) : null;

        public string Description => Info?.ToString() ?? $"{TypeName} [{string.Join(", ", Shape)}]";
    }
}
