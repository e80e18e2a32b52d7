using System.Buffers.Binary;
using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Diffusion.Configuration;
using Diffusion.Models;
using Microsoft.Extensions.Options;
using static TorchSharp.torch;

namespace Diffusion.Fuzzing;

/// <summary>All readers of files from elsewhere, with files that they read, from the recorded cases of this repository.</summary>
internal static class FuzzTargets
{
    // A configuration may ask for up to 100 000 timesteps, for each of which a schedule keeps some numbers.
    private const long BytesForTables = 1 << 24;

    private static readonly string[] s_pickles = ["pth/flat_dict_zip", "pth/nested_shared_storage"];
    private static readonly string[] s_names = ["a.weight", "a.bias", "n", "e", "s"];
    private static readonly byte[] s_weights = Weights();
    private static readonly string[] s_checkpoint = [Checkpoint.ModelFile, Checkpoint.EmaFile, Checkpoint.OptimizerFile];
    private static readonly byte[] s_header = s_weights.AsSpan(8, BinaryPrimitives.ReadInt32LittleEndian(s_weights)).ToArray();

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("safetensors", FuzzTarget.Damaged([s_weights]), ReadWeights(Safetensors.Load)),
        new("safetensors header", FuzzTarget.Json([s_header], WithLength), ReadWeights(Safetensors.Load)),
        new("pth, zip", FuzzTarget.Damaged([.. s_pickles.Select(PyTorch)]), ReadWeights(PyTorchFile.LoadStateDict)),
        new("pth, older", FuzzTarget.Damaged([PyTorch("pth/legacy_nonzip")]), ReadWeights(PyTorchFile.LoadStateDict)),
        new("pth, pickle in a whole archive", FuzzTarget.Damaged([.. s_pickles.Select(Pickle)], Archive), ReadWeights(PyTorchFile.LoadStateDict)),
        new("weights of any format", FuzzTarget.Damaged([s_weights, PyTorch(s_pickles[0])]), ReadWeights(path =>
        {
            using var weights = WeightFiles.Open(path);
            return weights.Load();
        })),
        new("shard index", FuzzTarget.Json([Index()]), ReadIndex) { IsRefusal = error => error is InvalidDataException or FileNotFoundException },
        new("scheduler_config.json", FuzzTarget.Json([.. Schedulers()]), path => DiffusersScheduler.Parse(File.ReadAllText(path)).CreateSampler(5)) { BytesForAnyFile = BytesForTables },
        new("model_index.json", FuzzTarget.Json([Pipeline("model_index.json")]), path =>
            new DiffusersFolder(File.ReadAllText(path), PipelineText("scheduler/scheduler_config.json"), PipelineText("unet/config.json")).CreateScheduler()),
        new("checkpoint manifest", FuzzTarget.Json([Manifest()]), ReadCheckpoint),
        new("run configuration", FuzzTarget.Json([.. Configurations()]), path => RunConfiguration.Parse(File.ReadAllText(path)))
        {
            IsRefusal = error => error is InvalidDataException or OptionsValidationException,
            BytesForAnyFile = BytesForTables,
        },
    ];

    private static Action<string> ReadWeights(Func<string, TensorDictionary> load) => path =>
    {
        using var scope = NewDisposeScope();
        using var weights = load(path);
        foreach (var tensor in weights.Values.Where(tensor => tensor.numel() < 10_000))
        {
            tensor.cpu().sum(); // All of it can be read.
        }
    };

    private static void ReadIndex(string path)
    {
        var shard = path + ".shard";
        if (!File.Exists(shard))
        {
            File.WriteAllBytes(shard, s_weights);
        }

        var index = Path.Combine(Path.GetDirectoryName(path)!, "x.index.json");
        File.Copy(path, index, overwrite: true);
        ReadWeights(_ =>
        {
            using var weights = WeightFiles.Open(index);
            return weights.Load();
        })(index);
    }

    private static byte[] Weights()
    {
        using var scope = NewDisposeScope();
        var path = Path.GetTempFileName();
        try
        {
            Safetensors.Save(
                path,
                new Dictionary<string, Tensor> { ["a.weight"] = ones(3, 4), ["a.bias"] = ones(4, ScalarType.BFloat16), ["n"] = arange(5), ["e"] = zeros(0, 2), ["s"] = ones([], ScalarType.Bool) },
                new Dictionary<string, string> { ["format"] = "pt" });
            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static byte[] WithLength(byte[] header)
    {
        var prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, header.Length);
        return [.. prefix, .. header, .. s_weights.AsSpan(8 + s_header.Length)];
    }

    private static byte[] PyTorch(string name) => File.ReadAllBytes(Path.Combine(Golden.Folder, name, "file.pth"));

    private static byte[] Pickle(string name)
    {
        using var archive = ZipFile.OpenRead(Path.Combine(Golden.Folder, name, "file.pth"));
        using var copy = new MemoryStream();
        using var pickle = archive.Entries.Single(entry => entry.Name == "data.pkl").Open();
        pickle.CopyTo(copy);
        return copy.ToArray();
    }

    /// <summary>The records of both recorded files beside a pickle; which of them it needs is its own affair.</summary>
    private static byte[] Archive(byte[] pickle)
    {
        using var buffer = new MemoryStream();
        using (var archive = new ZipArchive(buffer, ZipArchiveMode.Create, leaveOpen: true))
        {
            Add(archive, "data.pkl", pickle);
            foreach (var name in s_pickles.Take(Encoding.Latin1.GetString(pickle).Contains("epoch", StringComparison.Ordinal) ? 2 : 1).TakeLast(1))
            {
                using var original = ZipFile.OpenRead(Path.Combine(Golden.Folder, name, "file.pth"));
                foreach (var entry in original.Entries.Where(entry => entry.FullName.Contains("/data/", StringComparison.Ordinal)))
                {
                    using var stream = entry.Open();
                    using var copy = new MemoryStream();
                    stream.CopyTo(copy);
                    Add(archive, "data/" + entry.Name, copy.ToArray());
                }
            }
        }

        return buffer.ToArray();

        static void Add(ZipArchive archive, string name, byte[] bytes)
        {
            using var stream = archive.CreateEntry("file/" + name, CompressionLevel.NoCompression).Open();
            stream.Write(bytes);
        }
    }

    private static byte[] Index() => JsonSerializer.SerializeToUtf8Bytes(new
    {
        metadata = new { total_size = 104 },
        weight_map = s_names.ToDictionary(name => name, _ => "damaged.shard"),
    });

    /// <summary>One configuration of each class of scheduler that was recorded.</summary>
    private static IEnumerable<byte[]> Schedulers()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in Golden.Cases("diffusers_schedulers"))
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(Golden.Folder, name, "case.json")));
            var type = json.RootElement.GetProperty("peer").GetProperty("class").GetString()!.Split('.')[^1];
            if (DiffusersScheduler.ClassNames.Contains(type) && json.RootElement.TryGetProperty("full_config", out var config) && seen.Add(type))
            {
                var fields = config.EnumerateObject().ToDictionary(field => field.Name, field => field.Value);
                fields["_class_name"] = JsonSerializer.SerializeToElement(type);
                yield return JsonSerializer.SerializeToUtf8Bytes(fields);
            }
        }
    }

    private static void ReadCheckpoint(string path)
    {
        var folder = path + ".checkpoint";
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            Array.ForEach(s_checkpoint, name => File.WriteAllBytes(Path.Combine(folder, name), s_weights));
        }

        File.Copy(path, Path.Combine(folder, "manifest.json"), overwrite: true);
        Checkpoint.Open(folder);
    }

    private static byte[] Manifest() => JsonSerializer.SerializeToUtf8Bytes(new
    {
        schema = CheckpointManifest.CurrentSchema,
        step = 5,
        seed = 7,
        batchSize = 2,
        imageCount = 100,
        library = "1.0",
        files = s_checkpoint.ToDictionary(name => name, _ => new { bytes = s_weights.Length, sha256 = Convert.ToHexString(SHA256.HashData(s_weights)) }),
    });

    private static byte[] Pipeline(string file) => File.ReadAllBytes(Path.Combine(Golden.Folder, "diffusers_pipeline", "ddim_pipeline_16", "pipeline", file));

    private static string PipelineText(string file) => Encoding.UTF8.GetString(Pipeline(file));

    private static IEnumerable<byte[]> Configurations() =>
        Directory.EnumerateFiles(Path.GetFullPath(Path.Combine(Golden.Folder, "..", "..", "samples", "configs")), "*.json")
            .Order(StringComparer.Ordinal)
            .Select(path => Encoding.UTF8.GetBytes(RunConfiguration.ToJson(RunConfiguration.Load(path))));
}
