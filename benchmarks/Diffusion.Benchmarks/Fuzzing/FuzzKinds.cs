using System.Text;
using System.Text.Json;
using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Fuzzing;

/// <summary>
/// Readers of files from elsewhere, and files that are whole in their form and unusual in one kind of thing: names, links, pipes, headers, sizes, folders, what a pickle makes again and again.
/// What is read is compared with what was written.
/// </summary>
internal static class FuzzKinds
{
    private const string Beside = "outside.safetensors";

    // A pickle of nothing but dictionaries takes 94 managed bytes for each of its own, and each file is opened twice. A thousand tensors may have names in any file, of some kilobytes each.
    private const long BytesOfPickles = 256;
    private const long BytesOfNames = 1 << 22;
    private const long BytesOfFolders = 1 << 20;

    public static IReadOnlyList<FuzzTarget> All { get; } =
    [
        new("names of tensors", Each(FuzzNames.Safetensors), FuzzNames.Read),
        new("names of keys in pickles", Each(FuzzPickles.Names), FuzzPickles.Read) { BytesForEachByte = BytesOfPickles, BytesForAnyFile = BytesOfNames },
        new("values that a pickle makes again and again", Each(FuzzPickles.Repeated), FuzzPickles.Read) { BytesForEachByte = BytesOfPickles, BytesForAnyFile = BytesOfNames },
        new("views of a pickle's storages", Each(FuzzPickles.Views), FuzzPickles.Read),
        new("sizes in a header of safetensors", Each(FuzzNames.Sizes), FuzzNames.ReadAny),
        new("first bytes and names of files", Each(FuzzNames.Beginning), ReadBeginning) { IsRefusal = IsRefusal },
        new("names of shards", Each(Shards), ReadShards) { IsRefusal = IsRefusal },
        new("links in a folder of weights", Each(random => Bytes(random, 6)), ReadLinks) { IsRefusal = IsRefusal },
        new("folders of pipelines", Each(FuzzFolders.Plan), FuzzFolders.ReadPipeline) { IsRefusal = IsRefusal, BytesForAnyFile = BytesOfFolders },
        new("pipes in a folder of weights", Each(FuzzFolders.Plan), FuzzFolders.ReadPipes) { IsRefusal = IsRefusal, BytesForAnyFile = BytesOfFolders },
        new("sizes in a header of PNG", Each(FuzzImages.Sizes), FuzzImages.ReadSizes) { BytesForAnyFile = BytesOfFolders },
        new("links and names in a folder of images", Each(FuzzFolders.Plan), FuzzImages.ReadFolder) { BytesForAnyFile = BytesOfFolders },
        new("network larger than its weights", Each(Network), ReadNetwork) { BytesForAnyFile = 1 << 22 },
    ];

    /// <summary>Bytes of a generator.</summary>
    public static byte[] Bytes(Random random, int count)
    {
        var bytes = new byte[count];
        random.NextBytes(bytes);
        return bytes;
    }

    /// <summary>What was read must be what was written.</summary>
    public static void Require(bool holds, string what)
    {
        if (!holds)
        {
            throw new FuzzMismatchException(what);
        }
    }

    private static Func<int, int, IEnumerable<byte[]>> Each(Func<Random, byte[]> make) => (count, seed) =>
    {
        var random = new Random(seed);
        return Enumerable.Range(0, count).Select(_ => make(random));
    };

    // What WeightFiles.Open documents.
    private static bool IsRefusal(Exception error) => error is InvalidDataException or FileNotFoundException;

    private static void ReadBeginning(string path)
    {
        // The last byte says which name the file has.
        var bytes = File.ReadAllBytes(path);
        var named = path + FuzzNames.Extensions[bytes[^1] % FuzzNames.Extensions.Length];
        File.WriteAllBytes(named, bytes);
        try
        {
            using (var weights = WeightFiles.Open(named))
            {
                using var tensors = weights.Load();
            }

            using var network = WeightFiles.OpenNetwork(named);
            using var taken = network.Load();
        }
        finally
        {
            File.Delete(named);
        }
    }

    private static byte[] Shards(Random random) => JsonSerializer.SerializeToUtf8Bytes(new { weight_map = new Dictionary<string, string> { ["a"] = FuzzNames.FileName(random, Beside) } });

    private static void ReadShards(string path)
    {
        var folder = Directory.CreateDirectory(path + ".folder").FullName;
        FuzzNames.SaveOne(Path.Combine(Path.GetDirectoryName(path)!, Beside), 9);
        FuzzNames.SaveOne(Path.Combine(folder, "shard"), 1);
        var index = Path.Combine(folder, "x.index.json");
        File.Copy(path, index, overwrite: true);
        using var weights = WeightFiles.Open(index);
        using var a = weights.Read("a");
        Require(a.item<float>() == 1, "a shard outside the folder was read");
    }

    /// <summary>Six links, each to what a byte says: a file, a folder, the folder itself, another link, or nothing.</summary>
    private static void ReadLinks(string path)
    {
        var plan = File.ReadAllBytes(path);
        var root = path + ".links";
        if (Directory.Exists(root))
        {
            Directory.Delete(root, recursive: true);
        }

        Directory.CreateDirectory(root);
        FuzzNames.SaveOne(Path.Combine(root, "weights"), 1);
        string[] names = ["unet", "diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.safetensors.index.json", "model.safetensors", "a", "b"];
        string[] targets = [.. names, "weights", ".", "..", "absent", "a/b", "unet/unet"];
        for (var i = 0; i < Math.Min(names.Length, plan.Length); i++)
        {
            if (plan[i] > 80) // a link of the name, to what the rest says
            {
                File.CreateSymbolicLink(Path.Combine(root, names[i]), targets[plan[i] % targets.Length]);
            }
        }

        using var weights = WeightFiles.Open(root);
        using var a = weights.Read("a");
        Require(a.item<float>() == 1, "other weights were read than there are");
    }

    private static byte[] Network(Random random)
    {
        string[] numbers = ["1", "2", "3", "8", "32", "64", "1000", "65536", "1048576", "2147483647"];
        string[] layers = ["1", "2", "3", "65536"];
        string Number() => numbers[random.Next(numbers.Length)];
        var levels = random.Next(1, 4);
        string List(Func<string> item) => string.Join(',', Enumerable.Range(0, levels).Select(_ => item()));
        return Encoding.UTF8.GetBytes(
            $"{{\"in_channels\":{Number()},\"out_channels\":{Number()},\"block_out_channels\":[{List(Number)}],\"layers_per_block\":{layers[random.Next(layers.Length)]},\"norm_num_groups\":{random.Next(1, 3)},\"attention_head_dim\":{Number()},"
            + $"\"down_block_types\":[{List(() => random.Next(2) == 0 ? "\"DownBlock2D\"" : "\"AttnDownBlock2D\"")}],\"up_block_types\":[{List(() => random.Next(2) == 0 ? "\"UpBlock2D\"" : "\"AttnUpBlock2D\"")}],"
            + $"\"num_train_timesteps\":{Number()},\"time_embedding_type\":\"{(random.Next(2) == 0 ? "positional" : "learned")}\",\"num_class_embeds\":{(random.Next(2) == 0 ? "null" : Number())}}}");
    }

    private static void ReadNetwork(string path)
    {
        var file = path + ".safetensors";
        if (!File.Exists(file))
        {
            using var tensor = zeros(300_000);
            Safetensors.Save(file, [KeyValuePair.Create("a", tensor)]);
        }

        var options = DiffusersUNet.Parse(File.ReadAllText(path)).Options;
        using var weights = WeightFiles.Open(file);
        weights.ThrowIfSmallerThan(options);
        Require(options.Down.Sum(block => 9L * block.Channels * block.Channels * block.Layers) <= 300_000, "a network larger than its weights was taken for theirs");
    }
}
