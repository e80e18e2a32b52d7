using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text.Json;
using static TorchSharp.torch;

namespace Diffusion.Evaluation;

/// <summary>Classifiers as safetensors files, and those in this assembly.</summary>
internal static class ClassifierFile
{
    private const string Format = "classifier"; // the key whose value says what the file is
    private const string Version = "grey 28x28, 64 features, 1";
    private const string NameKey = "name";
    private const string ClassesKey = "classes";
    private const int HashLetters = 8;
    private const int MaxClasses = 100_000;

    /// <summary>Writes a file.</summary>
    public static void Write(string path, nn.Module network, string name, IReadOnlyList<string> classNames, IReadOnlyDictionary<string, string> about)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        if (about.Keys.FirstOrDefault(IsOwn) is { } own)
        {
            throw new ArgumentException($"The file itself has the key '{own}'; what is said about the classifier needs other keys.", nameof(about));
        }

        using var weights = Weights.Snapshot(network);
        Safetensors.Save(path, weights, new Dictionary<string, string>(about) { [Format] = Version, [NameKey] = name, [ClassesKey] = JsonSerializer.Serialize(classNames) });
    }

    /// <summary>Reads a file; whether its weights are those of the network is seen where they are loaded.</summary>
    public static ClassifierContent Read(string path)
    {
        using var file = SafetensorsFile.Open(path);
        return Content(file.Metadata, file.ReadAll, path);
    }

    /// <summary>Reads the weights that are part of this assembly.</summary>
    public static ClassifierContent ReadEmbedded(string name)
    {
        using var stream = typeof(ClassifierFile).Assembly.GetManifestResourceStream($"Diffusion.Evaluation.{name}.safetensors")
            ?? throw new InvalidOperationException($"This assembly has no weights '{name}'.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var start = sizeof(ulong) + checked((int)BinaryPrimitives.ReadUInt64LittleEndian(bytes));
        var header = SafetensorsHeader.Parse(bytes.AsMemory(sizeof(ulong)..start), bytes.Length - start);
        return Content(header.Metadata, () => Tensors(header, bytes, start), name);
    }

    /// <summary>The first letters of a hash of all weights, in the order of their names.</summary>
    public static string Hash(nn.Module network)
    {
        using var weights = Weights.Snapshot(network);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (_, tensor) in weights.OrderBy(item => item.Key, StringComparer.Ordinal))
        {
            hash.AppendData(tensor.bytes);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset())[..HashLetters];
    }

    private static bool IsOwn(string key) => key is Format or NameKey or ClassesKey;

    private static ClassifierContent Content(IReadOnlyDictionary<string, string> metadata, Func<TensorDictionary> weights, string path)
    {
        if (metadata.GetValueOrDefault(Format) is not Version)
        {
            throw new InvalidDataException($"'{path}' is no classifier that this library can read: its header has {(metadata.TryGetValue(Format, out var other) ? $"'{other}'" : "nothing")} for '{Format}', and '{Version}' is needed.");
        }

        var name = metadata.GetValueOrDefault(NameKey) ?? "";
        if (name.Length == 0 || !name.All(ImageClassifierOptions.IsPlain))
        {
            throw new InvalidDataException($"'{path}' is a damaged classifier: its name is '{name}'.");
        }

        return new ClassifierContent(name, Classes(metadata.GetValueOrDefault(ClassesKey), path), metadata.Where(item => !IsOwn(item.Key)).ToDictionary(StringComparer.Ordinal), weights());
    }

    private static string[] Classes(string? json, string path)
    {
        try
        {
            return JsonSerializer.Deserialize<string?[]>(json ?? "") is { Length: >= 2 and <= MaxClasses } names && !names.Contains(null)
                ? [.. names.Select(name => name!)]
                : throw new InvalidDataException($"'{path}' is a damaged classifier: it needs the names of 2 to {MaxClasses} classes and has '{json}'.");
        }
        catch (JsonException e)
        {
            throw new InvalidDataException($"'{path}' is a damaged classifier: the names of its classes are no JSON list: {e.Message}", e);
        }
    }

    private static TensorDictionary Tensors(SafetensorsHeader header, byte[] bytes, int start) =>
        new(header.Entries.Select(item =>
        {
            var values = empty([.. item.Value.Shape], item.Value.Info!.Type, CPU);
            using var data = new MemoryStream(bytes, start + (int)item.Value.Begin, (int)(item.Value.End - item.Value.Begin));
            TensorBytes.Read(data, values);
            return KeyValuePair.Create(item.Key, values);
        }));
}
