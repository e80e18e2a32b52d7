using System.Text;
using System.Text.Json;
using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Fuzzing;

/// <summary>Safetensors files with unusual names and sizes, and files that begin like something else.</summary>
internal static class FuzzNames
{
    private static readonly string[] s_parts =
    [
        "", "a", "weight", "_orig_mod", "module", "n_averaged", "_fsdp_wrapped_module", ".", "..", "/", "\\", "model", "ema", "é", "\u0000", "\n", "\u202E", "[red]", "😀", "0", "__metadata__",
        "%s", "{0}", " ", new string('n', 300),
    ];

    private static readonly string[] s_numbers =
    [
        "0", "1", "2", "3", "255", "256", "65536", "2147483647", "2147483648", "4294967296", "4611686018427387904", "9223372036854775807", "9223372036854775808", "-1", "1e3", "1.0",
    ];

    private static readonly byte[][] s_beginnings =
    [
        [], [.. "PK\u0003\u0004"u8], [.. "PK\u0005\u0006"u8], [0x80, 2], [0x80, 4, 0x95], [.. "<!DOCTYPE html>"u8], [.. "<"u8], [.. "{\"weight_map\":{\"a\":\""u8], [.. "{"u8], [.. "["u8],
        [.. "version https://git-lfs.github.com/spec/v1\nsize "u8], [0x1F, 0x8B], [.. "GGUF"u8], [0x93, .. "NUMPY"u8], [0xFF, 0xFE], [0xEF, 0xBB, 0xBF], [8, 8, 0x12, 90], [2, 0, 0, 0, 0, 0, 0, 0, .. "{}"u8],
    ];

    /// <summary>What file names end with.</summary>
    public static string[] Extensions { get; } = [".safetensors", ".bin", ".pth", ".ckpt", ".json", ".onnx", ".h5", "", ".index.json", ".zip"];

    /// <summary>A whole file whose tensors have names of unusual parts; each holds its position.</summary>
    public static byte[] Safetensors(Random random)
    {
        var names = Enumerable.Range(0, random.Next(1, 6)).Select(_ => string.Join('.', Enumerable.Range(0, random.Next(1, 4)).Select(_ => Part(random)))).ToList();
        return File(string.Join(',', names.Select((name, i) => $"{JsonSerializer.Serialize(name)}:{{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[{i},{i + 1}]}}")), [.. Enumerable.Range(0, names.Count).Select(i => (byte)i)]);
    }

    /// <summary>Reads such a file under its names, and as the weights of a network.</summary>
    public static void Read(string path)
    {
        var bytes = System.IO.File.ReadAllBytes(path);
        using var header = JsonDocument.Parse(bytes.AsMemory(8, BitConverter.ToInt32(bytes)));
        var names = header.RootElement.EnumerateObject().Select(item => item.Name).ToList();
        using (var weights = WeightFiles.Open(path))
        {
            FuzzKinds.Require(weights.Tensors.Keys.ToHashSet().SetEquals(names), "other names were read than there are");
            using var tensors = weights.Load();
            FuzzKinds.Require(names.Index().All(item => tensors[item.Item].item<byte>() == item.Index), "a name has another tensor");
        }

        using var network = WeightFiles.OpenNetwork(path);
        using var taken = network.Load();
        var left = names.Index().Where(item => taken.Values.Any(tensor => tensor.item<byte>() == item.Index)).Select(item => item.Item).ToHashSet();
        FuzzKinds.Require(left.Count == taken.Count && names.Where(name => !left.Contains(name)).All(name => name == "n_averaged"), "a tensor was lost");
        FuzzKinds.Require(taken.Keys.ToHashSet().SetEquals(names) || network.Notes.Count > 0, "names were changed without a word");
    }

    /// <summary>A file whose header has unusual numbers; some of them fit.</summary>
    public static byte[] Sizes(Random random)
    {
        var shape = Enumerable.Range(0, random.Next(0, 4)).Select(_ => Number(random));
        string[] types = ["U8", "F32", "BOOL", "C64", "F8_E4M3", "F4", "F6_E2M3", "U64"];
        var (begin, end) = (random.Next(3) > 0 ? "0" : Number(random), random.Next(3) > 0 ? "8" : Number(random));
        var file = File($"\"a\":{{\"dtype\":\"{types[random.Next(types.Length)]}\",\"shape\":[{string.Join(',', shape)}],\"data_offsets\":[{begin},{end}]}}", new byte[8]);
        if (random.Next(8) == 0)
        {
            BitConverter.TryWriteBytes(file, random.NextInt64() >> random.Next(64));
        }

        return file;
    }

    /// <summary>Reads all that a file says can be read.</summary>
    public static void ReadAny(string path)
    {
        using var weights = WeightFiles.Open(path);
        foreach (var name in weights.Tensors.Keys)
        {
            using var tensor = weights.Read(name);
        }
    }

    /// <summary>Bytes after the beginning of one format or another, and one that says which name the file gets.</summary>
    public static byte[] Beginning(Random random)
    {
        var bytes = FuzzKinds.Bytes(random, random.Next(1, 60));
        if (random.Next(2) == 0)
        {
            bytes = Array.ConvertAll(bytes, value => (byte)(' ' + (value % 95)));
        }

        return random.Next(20) == 0 ? File("\"a\":{\"dtype\":\"U8\",\"shape\":[1],\"data_offsets\":[0,1]}", [7]) is var whole ? [.. whole] : [] : [.. s_beginnings[random.Next(s_beginnings.Length)], .. bytes];
    }

    /// <summary>The name of a file: a right one now and then, and ways out of a folder.</summary>
    public static string FileName(Random random, string beside)
    {
        string[] names = ["shard", "./shard", "../" + beside, "..\\" + beside, "x.folder/../../" + beside, "/etc/hostname", "C:\\Windows\\win.ini", "CON", "NUL", "shard:stream", "shard\0", "shard ", "absent", "", ".", "..", "~", new string('s', 300)];
        return random.Next(3) == 0 ? "shard" : random.Next(2) == 0 ? names[random.Next(names.Length)] : Part(random);
    }

    /// <summary>A file of one tensor, a.</summary>
    public static void SaveOne(string path, float value)
    {
        if (!System.IO.File.Exists(path))
        {
            using var tensor = full([1], value);
            Diffusion.Safetensors.Save(path, [KeyValuePair.Create("a", tensor)]);
        }
    }

    public static string Part(Random random) => s_parts[random.Next(s_parts.Length)];

    private static string Number(Random random) => s_numbers[random.Next(s_numbers.Length)];

    private static byte[] File(string entries, byte[] data)
    {
        var header = Encoding.UTF8.GetBytes("{" + entries + "}");
        return [.. BitConverter.GetBytes((long)header.Length), .. header, .. data];
    }
}
