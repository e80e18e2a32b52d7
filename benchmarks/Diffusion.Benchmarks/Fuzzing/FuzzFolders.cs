using System.Text;
using System.Text.Json;
using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Fuzzing;

/// <summary>Folders of pipelines and of weights: where their files lie, variants, keys that begin with _, and pipes.</summary>
internal static class FuzzFolders
{
    private const string Name = "diffusion_pytorch_model";

    private static readonly string[] s_values = ["null", "0", "-1e999", "\"\"", "\"x\"", "[]", "[\"a\",\"b\"]", "[null,null]", "{}", "{\"_class_name\":\"X\"}", "[[[[]]]]", "true"];
    private static readonly string[] s_keys = ["_", "__", "_x", "_name_or_path", "_diffusers_version", "_class", "_module", "_ünet", "_\\u0000"];
    private static readonly string[] s_networks = ["{\"_class_name\":\"UNet2DModel\"}", "{\"_class_name\":\"UNet2DModel\",\"_x\":[1]}", "\uFEFF{\"_class_name\":\"UNet2DModel\"}"];

    /// <summary>A plan of a folder: 16 numbers.</summary>
    public static byte[] Plan(Random random) => FuzzKinds.Bytes(random, 16);

    /// <summary>Makes the folder of a plan, and reads the pipeline's texts and weights. Where nothing but its form is unusual it must be read.</summary>
    public static void ReadPipeline(string path)
    {
        var plan = File.ReadAllBytes(path);
        var root = Fresh(path + ".pipeline");
        string Folder(int bit, string name) => (plan[0] & bit) == 0 ? root : Directory.CreateDirectory(Path.Combine(root, name)).FullName;
        var (scheduler, network, config) = (Folder(1, "scheduler"), Folder(2, "unet"), s_networks[plan[1] % s_networks.Length]);
        var isForeign = plan[2] < 50; // a component that is not the pipeline's
        File.WriteAllText(Path.Combine(root, "model_index.json"),
            $"{{\"_class_name\":\"DDPMPipeline\",{Key(plan, 3)},\"scheduler\":[\"diffusers\",\"DDPMScheduler\"],\"unet\":[\"diffusers\",\"UNet2DModel\"],\"vae\":{(isForeign ? "[\"diffusers\",\"AutoencoderKL\"]" : "[null,null]")}}}");
        File.WriteAllText(Path.Combine(scheduler, "scheduler_config.json"), $"{{\"_class_name\":\"DDPMScheduler\",{Key(plan, 5)},\"beta_start\":0.002}}");
        File.WriteAllText(Path.Combine(network, "config.json"), config);
        string?[] variants = [null, "fp16", "v1-05"];
        var there = variants.Where((_, i) => plan[7 + i] > 100).ToList();
        foreach (var variant in there)
        {
            Save(network, variant, plan[10] % 4, Array.IndexOf(variants, variant));
        }

        var asked = variants[plan[11] % variants.Length];
        try
        {
            var folder = DiffusersFolder.Read(root);
            FuzzKinds.Require(!isForeign && folder.NetworkConfig.TrimStart('\uFEFF') == config.TrimStart('\uFEFF'), "another network was read than there is");
            folder.CreateScheduler();
            using var weights = WeightFiles.OpenNetwork(root, variant: asked);
            using var a = weights.Read("a");
            FuzzKinds.Require(a.item<float>() == Array.IndexOf(variants, asked), "weights of another variant were read");
        }
        catch (Exception error) when (error is not FuzzMismatchException && !isForeign && there.Contains(asked))
        {
            throw new FuzzMismatchException($"a whole pipeline was refused: {error}");
        }
    }

    /// <summary>Makes a folder of weights of which some files are pipes, and reads it.</summary>
    public static void ReadPipes(string path)
    {
        var plan = File.ReadAllBytes(path);
        var root = Fresh(path + ".pipes");
        string[] names = [$"{Name}.safetensors", $"{Name}.safetensors.index.json", "model.safetensors", $"{Name}.bin", "model_index.json", "config.json"];
        for (var i = 0; i < names.Length; i++)
        {
            var file = Path.Combine(root, names[i]);
            if (plan[i] > 200 && !OperatingSystem.IsWindows())
            {
                NamedPipe.At(file);
            }
            else if (plan[i] > 150 && names[i].EndsWith(".safetensors", StringComparison.Ordinal))
            {
                FuzzNames.SaveOne(file, 1);
            }
        }

        if (plan[6] < 50)
        {
            DiffusersFolder.Read(root);
        }

        using var weights = WeightFiles.OpenNetwork(root);
        using var a = weights.Read("a");
        FuzzKinds.Require(a.item<float>() == 1, "other weights were read than there are");
    }

    /// <summary>An empty folder.</summary>
    public static string Fresh(string path)
    {
        if (Directory.Exists(path))
        {
            Directory.Delete(path, recursive: true);
        }

        return Directory.CreateDirectory(path).FullName;
    }

    private static string Key(byte[] plan, int at) => $"\"{s_keys[plan[at] % s_keys.Length]}\":{s_values[plan[at + 1] % s_values.Length]}";

    /// <summary>Weights under one of the ways in which diffusers names those of a variant.</summary>
    private static void Save(string folder, string? variant, int way, float value)
    {
        var middle = variant is null ? "" : "." + variant;
        var shard = way == 1 ? $"{Name}{middle}-00001-of-00001.safetensors" : $"{Name}-00001-of-00001{middle}.safetensors";
        var index = way == 1 && variant is not null ? $"{Name}.safetensors.index{middle}.json" : $"{Name}{middle}.safetensors.index.json";
        if (way is 0 or 3)
        {
            FuzzNames.SaveOne(Path.Combine(folder, way == 0 ? $"{Name}{middle}.safetensors" : $"{Name}{middle}.bin"), value); // the content says what it is
            return;
        }

        FuzzNames.SaveOne(Path.Combine(folder, shard), value);
        byte[] mark = value > 0 ? Encoding.UTF8.Preamble.ToArray() : [];
        File.WriteAllBytes(Path.Combine(folder, index), [.. mark, .. JsonSerializer.SerializeToUtf8Bytes(new { weight_map = new Dictionary<string, string> { ["a"] = shard } })]);
    }
}
