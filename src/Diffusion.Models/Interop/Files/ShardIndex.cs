using System.Text;
using System.Text.Json;

namespace Diffusion.Models;

/// <summary>The index of a model in several files: which file holds which tensor. <c>*.safetensors.index.json</c> and <c>*.bin.index.json</c> have the same form.</summary>
/// <remarks>huggingface/huggingface_hub, src/huggingface_hub/serialization/_base.py. File names here are plain: a shard lies beside its index.</remarks>
internal sealed class ShardIndex
{
    // A name of a tensor and one of a file take some hundred bytes; a million of them is more than there is.
    private const int MaximumLength = 100_000_000;

    private static readonly JsonDocumentOptions s_json = new() { AllowDuplicateProperties = false };

    private ShardIndex(IReadOnlyDictionary<string, string> files) => Files = files;

    /// <summary>The name of the file of each tensor.</summary>
    public IReadOnlyDictionary<string, string> Files { get; }

    /// <summary>Reads an index.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="InvalidDataException">It is no plain file or no index, or a shard lies elsewhere; the message names the file and the reason.</exception>
    public static ShardIndex Read(string path)
    {
        PlainFile.ThrowIfOther(path);
        try
        {
            return new FileInfo(path).Length <= MaximumLength
                ? Parse(File.ReadAllBytes(path))
                : throw new InvalidDataException($"it has over {MaximumLength} bytes");
        }
        catch (InvalidDataException exception)
        {
            throw new InvalidDataException($"'{path}' is not a valid index of shards: {FileContent.Refusal(path, exception.Message, ContentKind.Json, ContentKind.ShardIndex)}", exception);
        }
    }

    /// <exception cref="InvalidDataException">The message is the reason, without the file's name.</exception>
    public static ShardIndex Parse(ReadOnlyMemory<byte> json)
    {
        var files = new Dictionary<string, string>(StringComparer.Ordinal);
        try
        {
            using var document = JsonDocument.Parse(json.Span.StartsWith(Encoding.UTF8.Preamble) ? json[Encoding.UTF8.Preamble.Length..] : json, s_json);
            if (document.RootElement.ValueKind != JsonValueKind.Object
                || !document.RootElement.TryGetProperty("weight_map", out var map)
                || map.ValueKind != JsonValueKind.Object)
            {
                throw new InvalidDataException("it is no JSON object with an object \"weight_map\"" + (IsConfiguration(document.RootElement)
                    ? ", but a configuration: give its folder, or the file of the weights"
                    : string.Empty));
            }

            foreach (var entry in map.EnumerateObject())
            {
                files.Add(entry.Name, entry.Value.ValueKind == JsonValueKind.String
                    ? FileName(entry.Name, entry.Value.GetString()!)
                    : throw new InvalidDataException($"the file of tensor '{entry.Name}' is {entry.Value.ValueKind}, not a text"));
            }
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // InvalidOperationException: an escaped half of a surrogate pair, or bytes that are not UTF-8.
            throw new InvalidDataException($"it is not valid JSON: {exception.Message.TrimEnd('.')}", exception);
        }

        return files.Count > 0 ? new ShardIndex(files) : throw new InvalidDataException("its \"weight_map\" is empty");
    }

    /// <summary>Of a network, scheduler or pipeline of diffusers, or of a run.</summary>
    private static bool IsConfiguration(JsonElement json) =>
        json.ValueKind == JsonValueKind.Object && (json.TryGetProperty("_class_name", out _) || json.TryGetProperty("model", out _));

    // What separates folders or drives on any system is refused on all of them.
    private static string FileName(string tensor, string name) => name is "" or "." or ".." || name.AsSpan().IndexOfAny("/\\:\0") >= 0
        ? throw new InvalidDataException($"the file of tensor '{tensor}' is '{name}'; a shard must be a file in the folder of the index")
        : name;
}
