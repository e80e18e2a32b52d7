using System.Text;
using System.Text.Json;
using static Diffusion.Models.PickleBytes;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Files under names that say something else than their content, variants, and indexes beside single files.</summary>
public sealed class WeightContentTests : IDisposable
{
    private const string Name = "diffusion_pytorch_model";

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("a.bin")]
    [InlineData("a.ckpt")]
    [InlineData("a.PT")]
    [InlineData("a.json")]
    [InlineData("a")]
    public void Open_SafetensorsUnderAnyName_AreRead(string name)
    {
        Save(name, 5);
        using var weights = WeightFiles.Open(_folder.File(name));
        Assert.Equal("safetensors", weights.Format);
        Assert.Equal(5f, Value(weights));
        Assert.Contains("it is a safetensors file; WeightFiles.Open reads", Assert.Throws<InvalidDataException>(() => PyTorchFile.Load(_folder.File(name))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.safetensors", "pth/flat_dict_zip")]
    [InlineData("a.SAFETENSORS", "pth/legacy_nonzip")]
    [InlineData("a.json", "pth/legacy_nonzip")]
    public void Open_PyTorchFileUnderAnyName_IsRead(string name, string recorded)
    {
        using var golden = Golden.Case(recorded);
        File.Copy(golden.File("file.pth"), _folder.File(name));
        using var weights = WeightFiles.Open(_folder.File(name));
        using var tensors = weights.Load();
        Assert.Equal("PyTorch", weights.Format);
        TensorAssert.Identical(golden.Tensors, tensors);
        Assert.Contains("WeightFiles.Open reads", Assert.Throws<InvalidDataException>(() => Safetensors.Load(_folder.File(name))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n", "git lfs pull")]
    [InlineData("<!doctype html><title>Log in</title>", "an HTML page")]
    [InlineData("{\"error\":\"gated\"}", "JSON and no weights")]
    [InlineData("GGUF\u0003\0\0\0", "a GGUF file")]
    [InlineData("", "0 bytes")]
    public void Open_SomethingElseUnderAnyName_SaysWhatItIs(string content, string expected)
    {
        foreach (var name in new[] { "a.safetensors", "a.bin", "a.pth", "a.ckpt", "weights" })
        {
            var path = _folder.Write(name, Encoding.UTF8.GetBytes(content));
            foreach (var open in new Action[] { () => WeightFiles.Open(path).Dispose(), () => PyTorchFile.Load(path).Dispose(), () => WeightFiles.OpenNetwork(path).Dispose() })
            {
                var message = Assert.Throws<InvalidDataException>(open).Message;
                Assert.Contains($"'{path}'", message, StringComparison.Ordinal);
                Assert.Contains(expected, message, StringComparison.Ordinal);
            }
        }
    }

    [Theory]
    [InlineData("it is a ZIP archive of files of weights: unpack it", "unet/config.json", "unet/diffusion_pytorch_model.safetensors")]
    [InlineData("it is an archive of NumPy's arrays (.npz)", "a.npy", "b.npy")]
    [InlineData("it is a document of an office program", "[Content_Types].xml", "word/document.xml")]
    [InlineData("it is a network of Keras", "config.json", "model.weights.h5")]
    [InlineData("it is a ZIP archive of something else (it holds 1, 2, 3, 4, 5 and 1 more)", "1", "2", "3", "4", "5", "6")]
    [InlineData("it is a TorchScript archive of torch.jit.save", "net/data.pkl", "net/constants.pkl", "net/code/__torch__.py", "net/version")]
    [InlineData("it is an empty ZIP archive")]
    public void Open_ArchiveOfSomethingElse_SaysWhatItHolds(string expected, params string[] names)
    {
        ArgumentNullException.ThrowIfNull(names);
        foreach (var file in new[] { "a.pth", "a.safetensors", "a.zip" })
        {
            var path = _folder.Write(file, Archive(names.Select(name => (name, new byte[3]))));
            Assert.Contains(expected, Assert.Throws<InvalidDataException>(() => WeightFiles.Open(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Open_PyTorchFilesThatWereCutOff_SaySo()
    {
        foreach (var recorded in new[] { "pth/flat_dict_zip", "pth/legacy_nonzip" })
        {
            using var golden = Golden.Case(recorded);
            var bytes = File.ReadAllBytes(golden.File("file.pth"));
            var path = _folder.Write("a.pth", bytes.AsSpan(0, bytes.Length * 9 / 10));
            Assert.Contains("cut off", Assert.Throws<InvalidDataException>(() => WeightFiles.Open(path)).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Open_IndexBesideASingleFile_ReadsTheShardsAndSaysSo()
    {
        foreach (var extension in new[] { "safetensors", "bin" })
        {
            Save($"{Name}.{extension}", 9);
            Save("shard", 1);
            Index($"{Name}.{extension}.index.json", "shard");
            using (var weights = WeightFiles.Open(_folder.Path))
            {
                Assert.Equal(1f, Value(weights));
                Assert.Equal($"'{_folder.File($"{Name}.{extension}")}' was not read: there is an index of shards beside it, which goes before it as in diffusers.", Assert.Single(weights.Notes));
            }

            using (var file = WeightFiles.Open(_folder.File($"{Name}.{extension}")))
            {
                Assert.Equal(9f, Value(file));
            }

            File.Delete(_folder.File($"{Name}.{extension}.index.json"));
            using var single = WeightFiles.Open(_folder.Path);
            Assert.Equal(9f, Value(single));
            Assert.Empty(single.Notes);
            File.Delete(_folder.File($"{Name}.{extension}"));
        }
    }

    [Theory]
    [InlineData($"{Name}.fp16.safetensors", null)]
    [InlineData($"unet/{Name}.fp16.safetensors", null)]
    [InlineData($"{Name}.fp16.bin", null)]
    [InlineData("model.fp16.safetensors", null)]
    [InlineData($"{Name}.fp16-00001-of-00001.safetensors", $"{Name}.safetensors.index.fp16.json")]
    [InlineData($"{Name}-00001-of-00001.fp16.safetensors", $"{Name}.fp16.safetensors.index.json")]
    [InlineData("pytorch_model.fp16-00001-of-00001.bin", "pytorch_model.bin.index.fp16.json")]
    public void Open_FolderOfAVariant_NamesItAndReadsItWhereAsked(string file, string? index)
    {
        Directory.CreateDirectory(_folder.File("unet"));
        Save(file, 3);
        if (index is not null)
        {
            Index(index, file);
        }

        var message = Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.Path)).Message;
        Assert.Contains(file, message, StringComparison.Ordinal);
        Assert.Contains("--variant fp16", message, StringComparison.Ordinal);
        using (var weights = WeightFiles.Open(_folder.Path, "fp16"))
        {
            Assert.Equal(3f, Value(weights));
            Assert.Equal(index ?? file, Path.GetRelativePath(_folder.Path, weights.Path).Replace('\\', '/'));
        }

        Assert.Contains("--variant fp16", Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.Path, "ema")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("v1-05.safetensors", "v1-05")]
    [InlineData("a-00-of-b.bin", "a-00-of-b")]
    [InlineData("x-0-00001-of-00002.safetensors", "x-0")]
    public void Open_VariantWithHyphensAndDigits_IsNamedWhole(string end, string variant)
    {
        Save($"{Name}.{end}", 3);
        Assert.Contains($"(--variant {variant})", Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("diffusion_flax_model.msgpack")]
    [InlineData("model.onnx")]
    [InlineData("unet/tf_model.h5")]
    public void Open_FolderOfAnotherFormatAlone_NamesItsFile(string file)
    {
        Directory.CreateDirectory(_folder.File("unet"));
        _folder.Write(file, [1, 2, 3]);
        var message = Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.Path)).Message.Replace('\\', '/');
        Assert.Contains($"There is {file}, of another format that is not read here", message, StringComparison.Ordinal);
        Save("my.pth", 1);
        Assert.Contains($"There is my.pth: give the file itself. There is {file}, of another", Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.Path)).Message.Replace('\\', '/'), StringComparison.Ordinal);
    }

    [Fact]
    public void Open_IndexWithAByteOrderMark_IsRead()
    {
        Save("shard", 4);
        _folder.Write("a.index.json", [0xEF, 0xBB, 0xBF, .. Encoding.UTF8.GetBytes("{\"weight_map\":{\"a\":\"shard\"}}")]);
        using var weights = WeightFiles.Open(_folder.File("a.index.json"));
        Assert.Equal(4f, Value(weights));
    }

    [Fact]
    public void OpenNetwork_FileWithoutTensors_IsRefused()
    {
        Safetensors.Save(_folder.File("a.safetensors"), []);
        _folder.Write("a.pth", Zip(Dictionary(("epoch", Integer(3)))));
        foreach (var file in new[] { "a.safetensors", "a.pth" })
        {
            Assert.Contains($"'{_folder.File(file)}' cannot be used as the weights of a network: it has no tensors.", Assert.Throws<InvalidDataException>(() => WeightFiles.OpenNetwork(_folder.File(file))).Message, StringComparison.Ordinal);
            Assert.Contains("it has no tensors", Assert.Throws<InvalidDataException>(() => WeightFiles.OpenNetwork(_folder.File(file), "")).Message, StringComparison.Ordinal);
            using var raw = WeightFiles.Open(_folder.File(file));
            Assert.Equal(["it has no tensors"], raw.Notes.Select(note => note[(note.LastIndexOf(": ", StringComparison.Ordinal) + 2)..].TrimEnd('.')));
        }
    }

    [Fact]
    public void Open_VariantThatIsNotThere_SaysWhatIs()
    {
        Save($"{Name}.safetensors", 1);
        Save("my.pth", 2);
        var message = Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.Path, "fp16")).Message;
        Assert.Contains($"There is {Name}.safetensors, my.pth: leave the variant out", message, StringComparison.Ordinal);
        Assert.Contains("a file", Assert.Throws<ArgumentException>(() => WeightFiles.Open(_folder.File("my.pth"), "fp16")).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => WeightFiles.Open(_folder.Path, "../x"));
        Assert.Throws<ArgumentException>(() => WeightFiles.Open(_folder.Path, ""));
        File.Delete(_folder.File($"{Name}.safetensors"));
        Assert.Contains("There is my.pth: give the file itself", Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.Path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_ShardsThatAreMissing_NamesAllOfThem()
    {
        Save("1", 1);
        _folder.Write("a.index.json", JsonSerializer.SerializeToUtf8Bytes(new { weight_map = new Dictionary<string, string> { ["a"] = "1", ["b"] = "2", ["c"] = "3" } }));
        Assert.Contains("2 shards, '2', '3', which are not there", Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.File("a.index.json"))).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.safetensors")]
    [InlineData("a.bin")]
    public void Open_IndexUnderAnotherName_IsReadAsOne(string name)
    {
        Save("shard", 4);
        Index(name, "shard");
        using var weights = WeightFiles.Open(_folder.File(name));
        Assert.Equal(4f, Value(weights));
    }

    [Fact]
    public void Open_TensorOfAnUnreadableType_LeavesTheOthersReadable()
    {
        const string header = """{"a":{"dtype":"F8_E4M3","shape":[3],"data_offsets":[0,3]},"_orig_mod.b":{"dtype":"U8","shape":[1],"data_offsets":[3,4]}}""";
        _folder.Write("shard", [.. BitConverter.GetBytes((long)header.Length), .. Encoding.UTF8.GetBytes(header), 0, 0, 0, 8]);
        _folder.Write("a.index.json", """{"weight_map":{"a":"shard","_orig_mod.b":"shard"}}"""u8);
        foreach (var file in new[] { "shard", "a.index.json" })
        {
            using var weights = WeightFiles.OpenNetwork(_folder.File(file));
            Assert.Equal(new Dictionary<string, string> { ["a"] = "F8_E4M3 [3]" }, weights.Unreadable);
            using var other = weights.Read("b");
            Assert.Equal(8, other.item<byte>());
            Assert.Contains("tensor 'a'", Assert.Throws<InvalidDataException>(() => weights.Read("a")).Message, StringComparison.Ordinal);
            Assert.Contains("'F8_E4M3'", Assert.Throws<InvalidDataException>(() => weights.Load()).Message, StringComparison.Ordinal);
            var size = Assert.Throws<InvalidDataException>(() => weights.ThrowIfSmallerThan(UNetPresets.DdpmCifar10())).Message;
            Assert.Contains("has tensors of types that cannot be read here: 'a' (F8_E4M3 [3]). Convert", size, StringComparison.Ordinal);
        }
    }

    public void Dispose() => _folder.Dispose();

    private static float Value(WeightFiles weights)
    {
        using var tensor = weights.Read("a");
        return tensor.item<float>();
    }

    private void Save(string name, float value)
    {
        using var tensor = full([1], value);
        Safetensors.Save(_folder.File(name), [KeyValuePair.Create("a", tensor)]);
    }

    private void Index(string name, string shard) => _folder.Write(name, JsonSerializer.SerializeToUtf8Bytes(new { weight_map = new Dictionary<string, string> { ["a"] = shard } }));
}
