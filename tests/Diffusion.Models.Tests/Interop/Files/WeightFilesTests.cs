using System.Text;
using System.Text.Json;
using static TorchSharp.torch;

namespace Diffusion.Models;

public sealed class WeightFilesTests : IDisposable
{
    private const string Index = "diffusion_pytorch_model.safetensors.index.json";

    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("a.safetensors", "safetensors")]
    [InlineData("unknown.weights", "safetensors")]
    public void Open_SafetensorsFile_GivesItsTensorsAndMetadata(string name, string format)
    {
        using var scope = NewDisposeScope();
        Save(name, ("w", arange(6).reshape(2, 3)), ("b", ones(2, ScalarType.BFloat16)));

        using var weights = WeightFiles.Open(_folder.File(name));

        Assert.Equal(format, weights.Format);
        Assert.Equal([_folder.File(name)], weights.Files);
        Assert.Equal("pt", weights.Metadata["format"]);
        Assert.Equal(new TensorInfo(ScalarType.Int64, [2, 3]), weights.Tensors["w"]);
        TensorAssert.Identical(arange(6).reshape(2, 3), weights.Read("w"), "w");
        using var all = weights.Load();
        Assert.Equal(["b", "w"], all.Keys.Order());
        Assert.Contains("'c'", Assert.Throws<KeyNotFoundException>(() => weights.Read("c")).Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("pth/flat_dict_zip")]
    [InlineData("pth/legacy_nonzip")]
    [InlineData("pth/nested_shared_storage")]
    public void Open_RecordedPyTorchFileUnderAnyName_GivesItsTensors(string name)
    {
        using var golden = Golden.Case(name);
        File.Copy(golden.File("file.pth"), _folder.File("anything"));
        foreach (var path in new[] { golden.File("file.pth"), _folder.File("anything") })
        {
            TensorDictionary loaded;
            using (var weights = WeightFiles.Open(path))
            {
                Assert.Equal("PyTorch", weights.Format);
                Assert.Empty(weights.Metadata);
                loaded = weights.Load();
            }

            using (loaded)
            {
                TensorAssert.Identical(golden.Tensors, loaded);
            }
        }
    }

    [Fact]
    public void Open_SafetensorsWhoseHeaderLengthLooksLikeAPickle_IsReadAsWhatItIs()
    {
        // 0x0280 bytes of header: the file begins with the two bytes of a pickle of protocol 2.
        var header = """{"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}}""".PadRight(0x280);
        var path = _folder.Write("unknown", [0x80, 2, 0, 0, 0, 0, 0, 0, .. Encoding.UTF8.GetBytes(header), 7]);
        using var weights = WeightFiles.Open(path);
        Assert.Equal("safetensors", weights.Format);
    }

    [Fact]
    public void Open_TensorThatRepeatsItsElementsWithoutEnd_IsRefused()
    {
        var tensor = PickleBytes.Tensor(PickleBytes.Storage("FloatStorage", "0", 1), 0, [1L << 50], [0]);
        var path = _folder.Write("a.pth", PickleBytes.Zip(PickleBytes.Dictionary(("w", tensor)), ("0", new byte[4])));
        Assert.Contains("'w', which repeats", Assert.Throws<InvalidDataException>(() => WeightFiles.Open(path)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Open_Shards_GivesEachTensorFromItsFile()
    {
        using var scope = NewDisposeScope();
        Shards();

        using var weights = WeightFiles.Open(_folder.File(Index));

        Assert.Equal([_folder.File("1.safetensors"), _folder.File("2.safetensors")], weights.Files);
        using var all = weights.Load();
        TensorAssert.Identical(new Dictionary<string, Tensor> { ["a"] = ones(2), ["b"] = zeros(3), ["c"] = arange(4) }, all);
    }

    [Fact]
    public void Open_ShardsOfPyTorchFiles_GivesEachTensorFromItsFile()
    {
        using var scope = NewDisposeScope();
        foreach (var name in new[] { "x", "y" })
        {
            var tensor = PickleBytes.Tensor(PickleBytes.Storage("ByteStorage", "0", 2), 0, [2], [1]);
            _folder.Write(name + ".bin", PickleBytes.Zip(PickleBytes.Dictionary((name, tensor)), ("0", [(byte)name[0], 1])));
        }

        WriteIndex("pytorch_model.bin.index.json", ("x", "x.bin"), ("y", "y.bin"));

        using var weights = WeightFiles.Open(_folder.File("."));

        Assert.Equal("PyTorch", weights.Format);
        TensorAssert.Identical(tensor(new[] { (byte)'y', (byte)1 }), weights.Read("y"), "y");
    }

    [Fact]
    public void Open_Folder_PrefersSafetensorsAndShardsAsDiffusers()
    {
        using var scope = NewDisposeScope();
        Directory.CreateDirectory(_folder.File("unet"));
        Expect("pytorch_model.bin", () => Pickle("pytorch_model.bin"));
        Expect("pytorch_model.bin.index.json", () => { WriteIndex("pytorch_model.bin.index.json", ("x", "x.bin")); Pickle("x.bin"); });
        Expect("diffusion_pytorch_model.bin", () => Pickle("diffusion_pytorch_model.bin"));
        Expect("model.safetensors", () => Save("model.safetensors", ("x", ones(1))));
        Expect("diffusion_pytorch_model.safetensors", () => Save("diffusion_pytorch_model.safetensors", ("x", ones(1))));
        Expect(Index, Shards);

        void Expect(string name, Action add)
        {
            add();
            using var weights = WeightFiles.Open(_folder.File("."));
            Assert.Equal(name, Path.GetFileName(weights.Path));
        }

        void Pickle(string name) => _folder.Write(
            name, PickleBytes.Zip(PickleBytes.Dictionary(("x", PickleBytes.Tensor(PickleBytes.Storage("ByteStorage", "0", 1), 0, [1], [1]))), ("0", [1])));
    }

    [Fact]
    public void Open_PipelineFolder_TakesTheNetworks()
    {
        using var scope = NewDisposeScope();
        Save("unet/diffusion_pytorch_model.safetensors", ("x", ones(1)));
        using var weights = WeightFiles.Open(_folder.File("."));
        Assert.Equal(["x"], weights.Tensors.Keys);
    }

    [Fact]
    public void Open_NothingThere_SaysWhatWasLookedFor()
    {
        var message = Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.File("."))).Message;
        Assert.Contains("diffusion_pytorch_model.safetensors", message, StringComparison.Ordinal);
        Assert.Contains("pytorch_model.bin.index.json", message, StringComparison.Ordinal);
        Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.File("none.bin")));
        Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.File("none.weights")));
        Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.File("none.index.json")));
    }

    [Fact]
    public void Open_IndexAndShardsDisagree_NamesTheTensorAndTheFiles()
    {
        using var scope = NewDisposeScope();
        Shards();
        WriteIndex(Index, ("a", "1.safetensors"), ("b", "2.safetensors"), ("c", "2.safetensors"));
        Refused("'b' in the shard '2.safetensors', where it is not");
        WriteIndex(Index, ("a", "1.safetensors"), ("c", "2.safetensors"));
        Refused("does not list the tensor 'b', which is in the shard '1.safetensors'");
        Save("2.safetensors", ("c", arange(4)), ("b", zeros(3)));
        WriteIndex(Index, ("a", "1.safetensors"), ("b", "1.safetensors"), ("c", "2.safetensors"));
        Refused("'b' in the shard '1.safetensors', and '2.safetensors' has it, too");
        _folder.Write("2.safetensors", [1, 2, 3]);
        Refused("2.safetensors");
        WriteIndex(Index, ("a", "gone.safetensors"));
        Assert.Contains("'gone.safetensors'", Assert.Throws<FileNotFoundException>(() => WeightFiles.Open(_folder.File(Index))).Message, StringComparison.Ordinal);
        File.Delete(_folder.File("1.safetensors")); // It is not held open.
    }

    [Theory]
    [InlineData("../a.safetensors")]
    [InlineData("/etc/passwd")]
    [InlineData("sub/a.safetensors")]
    [InlineData("..\\a.safetensors")]
    [InlineData("C:a.safetensors")]
    [InlineData("..")]
    [InlineData(".")]
    [InlineData("")]
    [InlineData("a\0b")]
    public void Open_ShardOutsideTheFolder_IsRefused(string shard)
    {
        WriteIndex(Index, ("a", shard));
        Refused("a shard must be a file in the folder of the index");
    }

    [Theory]
    [InlineData("", "not valid JSON")]
    [InlineData("[]", "weight_map")]
    [InlineData("{}", "weight_map")]
    [InlineData("""{"_class_name":"UNet2DModel"}""", "but a configuration: give its folder")]
    [InlineData("""{"weight_map":[]}""", "weight_map")]
    [InlineData("""{"weight_map":{}}""", "empty")]
    [InlineData("""{"weight_map":{"a":1}}""", "'a' is Number")]
    [InlineData("""{"weight_map":{"a":"x","a":"y"}}""", "uplicate")]
    [InlineData("""{"weight_map":{"a":"x"},"weight_map":{"a":"x"}}""", "uplicate")]
    [InlineData("""{"weight_map":{"a":"\ud800"}}""", "not valid JSON")]
    [InlineData("""{"weight_map":{"\ud800":"a"}}""", "not valid JSON")]
    [InlineData("""{"weight_map":{"a":"x"}""", "not valid JSON")]
    public void Open_MalformedIndex_NamesFileAndReason(string json, string reason)
    {
        _folder.Write(Index, Encoding.UTF8.GetBytes(json));
        Refused(reason);
    }

    public void Dispose() => _folder.Dispose();

    private void Shards()
    {
        Save("1.safetensors", ("a", ones(2)), ("b", zeros(3)));
        Save("2.safetensors", ("c", arange(4)));
        WriteIndex(Index, ("a", "1.safetensors"), ("b", "1.safetensors"), ("c", "2.safetensors"));
    }

    private void Save(string name, params (string Name, Tensor Tensor)[] tensors) => Safetensors.Save(
        _folder.File(name), tensors.Select(item => KeyValuePair.Create(item.Name, item.Tensor)), new Dictionary<string, string> { ["format"] = "pt" });

    private void WriteIndex(string name, params (string Tensor, string File)[] map) => File.WriteAllText(
        _folder.File(name), JsonSerializer.Serialize(new { metadata = new { total_size = 1 }, weight_map = map.ToDictionary(item => item.Tensor, item => item.File) }));

    private void Refused(string reason)
    {
        var message = Assert.Throws<InvalidDataException>(() => WeightFiles.Open(_folder.File(Index)).Dispose()).Message;
        Assert.Contains(_folder.File(""), message, StringComparison.Ordinal);
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }
}
