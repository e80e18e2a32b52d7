using static Diffusion.Models.PickleBytes;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>The weights of a network among other things, and under names that tools have put parts into.</summary>
public sealed class NetworkWeightsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Theory]
    [InlineData("_orig_mod.a.weight,_orig_mod.b", "a.weight,b", "'_orig_mod.' of torch.compile in 2 names")]
    [InlineData("a._orig_mod.weight,b", "a.weight,b", "'_orig_mod.' of torch.compile in 1 names")]
    [InlineData("module.a,module.b.c", "a,b.c", "'module.' of DataParallel")]
    [InlineData("module._orig_mod.a,module._orig_mod.b.c", "a,b.c", "'module.' of DataParallel")]
    [InlineData("_orig_mod.module.a,_orig_mod.module.b._orig_mod.c", "a,b.c", "'_orig_mod.' of torch.compile in 2 names")]
    [InlineData("n_averaged,module.a,module.b", "a,b", "and its counter 'n_averaged'")]
    [InlineData("_fsdp_wrapped_module.a._checkpoint_wrapped_module.b", "a.b", "FullyShardedDataParallel")]
    [InlineData("module.a,b", "module.a,b", null)]
    [InlineData("a.module.b,module", "a.module.b,module", null)]
    [InlineData("my_orig_mod.a,a._orig_mod", "my_orig_mod.a,a._orig_mod", null)]
    public void OpenNetwork_NamesWithWrappers_AreTakenOffAndSaid(string names, string expected, string? note)
    {
        ArgumentNullException.ThrowIfNull(names);
        ArgumentNullException.ThrowIfNull(expected);
        using var scope = NewDisposeScope();
        Safetensors.Save(_folder.File("a.safetensors"), names.Split(',').Select((name, i) => KeyValuePair.Create(name, full([2], i))));
        _folder.Write("a.pth", Zip(Flat(names.Split(',')), ("0", new byte[4])));
        foreach (var file in new[] { "a.safetensors", "a.pth" })
        {
            using var weights = WeightFiles.OpenNetwork(_folder.File(file));
            Assert.Equal(expected.Split(',').Order(StringComparer.Ordinal), weights.Tensors.Keys.Order(StringComparer.Ordinal));
            Assert.True(note is null ? weights.Notes.Count == 0 : weights.Notes.Any(text => text.Contains(note, StringComparison.Ordinal)), string.Join(' ', weights.Notes));
            using var raw = WeightFiles.Open(_folder.File(file));
            Assert.Equal(names.Split(',').Order(StringComparer.Ordinal), raw.Tensors.Keys.Order(StringComparer.Ordinal));
            Assert.Equal(note is null, raw.Notes.Count == 0);
        }
    }

    [Fact]
    public void OpenNetwork_WrappedName_ReadsItsTensor()
    {
        using var scope = NewDisposeScope();
        Safetensors.Save(_folder.File("a.safetensors"), [KeyValuePair.Create("module.b", ones(1)), KeyValuePair.Create("module._orig_mod.a", arange(3))]);
        using var weights = WeightFiles.OpenNetwork(_folder.File("a.safetensors"));
        using var all = weights.Load();
        TensorAssert.Identical(arange(3), all["a"], "a");
        TensorAssert.Identical(ones(1), weights.Read("b"), "b");
    }

    [Fact]
    public void OpenNetwork_TwoNamesThatWouldBeOne_IsRefused()
    {
        using var scope = NewDisposeScope();
        Safetensors.Save(_folder.File("a.safetensors"), [KeyValuePair.Create("a", ones(1)), KeyValuePair.Create("_orig_mod.a", ones(1))]);
        Refused("a.safetensors", "two tensors would be called 'a'");
        using var raw = WeightFiles.Open(_folder.File("a.safetensors"));
        Assert.Equal(2, raw.Tensors.Count);
    }

    [Theory]
    [InlineData("model")]
    [InlineData("state_dict")]
    [InlineData("ema")]
    [InlineData("model_ema")]
    [InlineData("anything")]
    public void OpenNetwork_StateDictionaryBesideAnOptimizers_TakesItAndSaysWhatItLeavesOut(string key)
    {
        _folder.Write("a.pth", Zip(Dictionary((key, Flat("_orig_mod.a", "_orig_mod.b.c")), ("optimizer", Optimizer(3)), ("epoch", Integer(3)), ("rng_state", Dictionary(("cpu", Weight())))), ("0", new byte[4])));

        using var weights = WeightFiles.OpenNetwork(_folder.File("a.pth"));

        Assert.Equal(["a", "b.c"], weights.Tensors.Keys);
        Assert.Equal([$"Taken are the 2 tensors under '{key}/'; left out are 6 of 'optimizer', 1 of 'rng_state'.", "Taken off: '_orig_mod.' of torch.compile in 2 names."], weights.Notes);
        using var raw = WeightFiles.Open(_folder.File("a.pth"));
        Assert.Equal(9, raw.Tensors.Count);
        Assert.Contains("convert leaves out 6 of 'optimizer', 1 of 'rng_state'", raw.Notes[0], StringComparison.Ordinal);
    }

    [Fact]
    public void OpenNetwork_OptimizersByFormOrByKey_AreNoNetworks()
    {
        _folder.Write("a.pth", Zip(Dictionary(("states", [(byte)']', .. Optimizer(1), (byte)'a']), ("nested", Dictionary(("net", Flat("a.b")), ("lr_schedulers", Dictionary(("x", Weight()))), ("step", Weight())))), ("0", new byte[4])));
        using var weights = WeightFiles.OpenNetwork(_folder.File("a.pth"));
        Assert.Equal(["a.b"], weights.Tensors.Keys);
        _folder.Write("b.pth", Zip(Optimizer(2), ("0", new byte[4])));
        Refused("b.pth", "no weights of a network but the state of an optimizer");
    }

    [Fact]
    public void OpenNetwork_SeveralNetworks_NamesThemAndHowToChoose()
    {
        _folder.Write("a.pth", Zip(Dictionary(("model", Flat("a.b", "a.c")), ("ema", Flat("a.b")), ("stats", Dictionary(("mean", Weight())))), ("0", new byte[4])));
        Refused("a.pth", "'model' (2 tensors), 'ema' (1 tensors)", "--prefix model/ or --prefix ema/");

        using var model = WeightFiles.OpenNetwork(_folder.File("a.pth"), "model/");
        Assert.Equal(["a.b", "a.c"], model.Tensors.Keys);
        Assert.Equal("Taken are the 2 tensors under 'model/'; left out are 1 of 'ema', 1 of 'stats'.", Assert.Single(model.Notes));
        using var all = WeightFiles.OpenNetwork(_folder.File("a.pth"), "");
        Assert.Equal(["model/a.b", "model/a.c", "ema/a.b", "stats/mean"], all.Tensors.Keys);
        using var raw = WeightFiles.Open(_folder.File("a.pth"));
        Assert.Contains("--prefix model/ or --prefix ema/", Assert.Single(raw.Notes), StringComparison.Ordinal);
        Assert.Contains("No tensor begins with 'none/'; there are model/a.b", Assert.Throws<ArgumentException>(() => WeightFiles.OpenNetwork(_folder.File("a.pth"), "none/")).Message, StringComparison.Ordinal);
        File.Delete(_folder.File("a.pth")); // It is not held open.
    }

    [Fact]
    public void OpenNetwork_AverageThatIsAList_IsRefusedSinceItHasNoNames()
    {
        _folder.Write("a.pth", Zip(Dictionary(("decay", Integer(1)), ("shadow_params", [(byte)']', (byte)'(', .. Weight(), .. Weight(), (byte)'e'])), ("0", new byte[4])));
        Refused("a.pth", "'shadow_params'", "the names of the weights are not in it", "unet_ema");
        _folder.Write("b.pth", Zip(Dictionary(("model", Flat("a.b")), ("ema", Dictionary(("shadow_params", [(byte)']', .. Weight(), (byte)'a'])))), ("0", new byte[4])));
        using var weights = WeightFiles.OpenNetwork(_folder.File("b.pth"));
        Assert.Equal("Taken are the 1 tensors under 'model/'; left out are 1 of 'ema'.", Assert.Single(weights.Notes));
    }

    [Fact]
    public void OpenNetwork_PlainStateDictionary_IsTakenAsItIs()
    {
        byte[] extra = Dictionary(("scale", Weight()));
        _folder.Write("a.pth", Zip(Dictionary(("a.weight", Weight()), ("b._extra_state", extra)), ("0", new byte[4])));
        using var weights = WeightFiles.OpenNetwork(_folder.File("a.pth"));
        Assert.Equal(["a.weight", "b._extra_state/scale"], weights.Tensors.Keys);
        Assert.Empty(weights.Notes);
        using var golden = Golden.Case("pth/flat_dict_zip");
        using var recorded = WeightFiles.OpenNetwork(golden.File("file.pth"));
        using var tensors = recorded.Load();
        TensorAssert.Identical(golden.Tensors, tensors);
    }

    [Fact]
    public void ThrowIfSmallerThan_NetworkWithMoreParameters_IsRefusedBeforeItIsMade()
    {
        using var scope = NewDisposeScope();
        var options = DiffusersUNet.Parse(Config(32)).Options;
        using var network = DiffusersUNet.Parse(Config(32)).Build();
        Safetensors.Save(_folder.File("a.safetensors"), network.state_dict().Select(item => KeyValuePair.Create(item.Key, item.Value)));
        using var weights = WeightFiles.Open(_folder.File("a.safetensors"));
        weights.ThrowIfSmallerThan(options);
        weights.ThrowIfSmallerThan(DiffusersUNet.Parse(Config(64)).Options); // loading names what does not fit
        foreach (var channels in new[] { 512, 1 << 14, 1 << 20, 1 << 28 })
        {
            var message = Assert.Throws<InvalidDataException>(() => weights.ThrowIfSmallerThan(DiffusersUNet.Parse(Config(channels)).Options)).Message;
            Assert.Contains($"holds {network.ParameterCount} numbers, and the network that its configuration describes has ", message, StringComparison.Ordinal);
        }

        static string Config(int channels) => $$"""{"_class_name":"UNet2DModel","in_channels":1,"out_channels":1,"block_out_channels":[{{channels}}],"down_block_types":["DownBlock2D"],"up_block_types":["UpBlock2D"],"layers_per_block":1}""";
    }

    [Fact]
    public void LoadPipeline_WrappedWeights_AreTheNetworks()
    {
        using var golden = Golden.Case("diffusers_pipeline/ddim_pipeline_16");
        Copy(golden.File("pipeline"), config => config);
        var file = _folder.File("pipeline/unet/diffusion_pytorch_model.safetensors");
        using (var weights = Safetensors.Load(file))
        {
            Safetensors.Save(file, [.. weights.Select(item => KeyValuePair.Create("module._orig_mod." + item.Key, item.Value))]);
        }

        using var expected = DiffusersPipeline.Load(golden.File("pipeline"));
        using var wrapped = DiffusersPipeline.Load(_folder.File("pipeline"));
        using var scope = NewDisposeScope();
        TensorAssert.Identical(expected.Network.state_dict(), wrapped.Network.state_dict());
    }

    [Fact]
    public void LoadPipeline_ConfigurationOfManyGigabytes_IsRefusedAtOnce()
    {
        using var golden = Golden.Case("diffusers_pipeline/ddim_pipeline_16");
        Copy(golden.File("pipeline"), config =>
        {
            var node = System.Text.Json.Nodes.JsonNode.Parse(config)!;
            var widths = node["block_out_channels"]!.AsArray();
            for (var i = 0; i < widths.Count; i++)
            {
                widths[i] = 1 << 20;
            }

            return node.ToJsonString();
        });
        var message = Assert.Throws<InvalidDataException>(() => DiffusersPipeline.Load(_folder.File("pipeline"))).Message;
        Assert.Contains("in one layer alone", message, StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private void Copy(string pipeline, Func<string, string> changeNetwork)
    {
        foreach (var file in Directory.EnumerateFiles(pipeline, "*", SearchOption.AllDirectories))
        {
            var copy = _folder.File(Path.Combine("pipeline", Path.GetRelativePath(pipeline, file)));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var config = _folder.File("pipeline/unet/config.json");
        File.WriteAllText(config, changeNetwork(File.ReadAllText(config)));
    }

    private static byte[] Weight() => PickleBytes.Tensor(Storage("FloatStorage", "0", 1), 0, [1], [1]);

    private static byte[] Flat(params string[] names) => Dictionary([.. names.Select(name => (name, Weight()))]);

    /// <summary>What torch.optim.Adam saves: three tensors for each parameter.</summary>
    private static byte[] Optimizer(int half) => Dictionary(
        ("state", Dictionary(("0", Dictionary([.. Enumerable.Range(0, half).Select(i => ($"m{i}", Weight()))])), ("1", Dictionary([.. Enumerable.Range(0, half).Select(i => ($"m{i}", Weight()))])))),
        ("param_groups", [(byte)']']));

    private void Refused(string file, params string[] reasons)
    {
        var message = Assert.Throws<InvalidDataException>(() => WeightFiles.OpenNetwork(_folder.File(file))).Message;
        Assert.StartsWith($"'{_folder.File(file)}'", message, StringComparison.Ordinal);
        Assert.All(reasons, reason => Assert.Contains(reason, message, StringComparison.Ordinal));
    }
}
