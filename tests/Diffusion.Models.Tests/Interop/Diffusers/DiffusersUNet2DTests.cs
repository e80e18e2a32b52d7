using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>UNet2DModel against huggingface/diffusers (tests/golden/README.md): configuration, weights, output, gradients.</summary>
public sealed class DiffusersUNet2DTests
{
    private static readonly (string Key, string Value, string Named)[] s_wrong =
    [
        ("act_fn", "\"tanh\"", "\"act_fn\" must be one of silu, swish, relu, gelu, mish; it is \"tanh\""),
        ("down_block_types", "[\"SkipDownBlock2D\", \"DownBlock2D\"]", "\"SkipDownBlock2D\""),
        ("up_block_types", "[\"UpBlock2D\"]", "\"up_block_types\" 1"),
        ("downsample_padding", "2", "\"downsample_padding\" must be 0 or 1; it is 2"),
        ("resnet_time_scale_shift", "\"spatial\"", "\"spatial\""),
        ("class_embed_type", "\"simple\"", "\"simple\""),
        ("time_embedding_type", "\"learned\"", "\"num_train_timesteps\" must be a whole number of at least 1; it is null"),
        ("block_out_channels", "[16, \"32\"]", "\"block_out_channels\" must be a list of whole numbers"),
        ("norm_num_groups", "null", "\"norm_num_groups\" must be a whole number; it is null"),
        ("norm_num_groups", "5", "must be a positive multiple of NormGroups, 5; it is 16"),
        ("mid_block_type", "\"UNetMidBlock2DCrossAttn\"", "\"UNetMidBlock2DCrossAttn\""),
        ("encoder_hid_dim", "7", "does not know \"encoder_hid_dim\" (7)"),
        ("_class_name", "\"UNet3DConditionModel\"", "\"UNet3DConditionModel\""),
    ];

    public static TheoryData<string> Cases => [.. Golden.Cases("diffusers_unet2d")];

    [Theory]
    [MemberData(nameof(Cases))]
    public void UNet_RecordedWeights_GivesTheRecordedOutput(string name)
    {
        using var golden = Golden.Case(name);
        using var unet = Build(golden, "model");
        PeerNetwork.CheckOutput(golden, "out", unet, golden["t"], Labels(golden));
        if (golden.Tensors.ContainsKey("out_scalar_t"))
        {
            using var first = golden["t"].narrow(0, 0, 1);
            PeerNetwork.CheckOutput(golden, "out_scalar_t", unet, first, Labels(golden));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void UNet_RecordedBatch_GivesTheRecordedGradients(string name)
    {
        using var golden = Golden.Case(name);
        using var unet = Build(golden, "model");
        PeerNetwork.CheckGradients(golden, unet, Labels(golden), Describe(golden, "model").Keys.ToTheirs);
    }

    [Fact]
    public void Keys_FormerAttentionNames_LoadTheSameNetwork()
    {
        using var golden = Golden.Case("diffusers_unet2d/u32_cifar_style_oldkeys");
        using var former = Build(golden, "model_oldkeys");
        using var present = Build(golden, "model");
        TensorAssert.Identical(Weights.Snapshot(present), Weights.Snapshot(former));
    }

    [Fact]
    public void Keys_PickledWeights_LoadTheSameNetwork()
    {
        using var golden = Golden.Case("diffusers_unet2d/u28_basic");
        using var present = Build(golden, "model");
        using var pickled = UNetBuilder.From(Describe(golden, "model").Options).Build();
        using var file = PyTorchFile.LoadStateDict(golden.File("model_bin/diffusion_pytorch_model.bin"));
        Weights.Load(pickled, Describe(golden, "model").Keys.ToOurs(file));
        TensorAssert.Identical(Weights.Snapshot(present), Weights.Snapshot(pickled));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Keys_BothWays_AreThoseOfTheFile(string name)
    {
        using var golden = Golden.Case(name);
        using var unet = Build(golden, "model");
        using var file = Safetensors.Load(golden.File("model/diffusion_pytorch_model.safetensors"));
        var keys = Describe(golden, "model").Keys;
        var theirs = keys.ToTheirs(unet.state_dict());
        Assert.Equal(file.Keys.Order(StringComparer.Ordinal), theirs.Keys.Order(StringComparer.Ordinal));
        Assert.All(file, entry => Assert.Equal(entry.Value.shape, theirs[entry.Key].shape));
        Assert.Equal(unet.state_dict().Keys.Order(StringComparer.Ordinal), keys.ToOurs(file).Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Of_ReadOptions_WritesTheConfigurationTheyCameFrom(string name)
    {
        using var golden = Golden.Case(name);
        var described = Describe(golden, "model");
        var recorded = JsonNode.Parse(File.ReadAllText(golden.File("model/config.json")))!.AsObject();
        Assert.True(JsonNode.DeepEquals(recorded, JsonNode.Parse(described.ToJson())));
        recorded.Remove("_diffusers_version");
        var written = DiffusersUNet.Of(described.Options).ToJson();
        Assert.True(JsonNode.DeepEquals(recorded, JsonNode.Parse(written)), written);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ParameterCount_RecordedNetwork_IsThatOfThePeer(string name)
    {
        using var golden = Golden.Case(name);
        using var unet = Describe(golden, "model").Build();
        Assert.Equal(golden.Json.GetProperty("parameter_count").GetInt64(), unet.ParameterCount);
        Assert.Equal(unet.ParameterCount, UNetSummary.Of(unet.Options).Parameters);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Of_FourierWaves_WritesTheOrderThatTheConfigurationHad(bool flip)
    {
        using var golden = Golden.Case("diffusers_unet2d/u28_fourier");
        var config = JsonNode.Parse(File.ReadAllText(golden.File("model/config.json")))!.AsObject();
        config.Remove("_diffusers_version");
        (config["flip_sin_to_cos"], config["freq_shift"], config["num_train_timesteps"]) = (flip, 1, 500);
        var options = DiffusersUNet.Parse(config.ToJsonString()).Options;

        Assert.Equal(WaveOrder.SineFirst, options.Dialect.Time.Order); // the class ignores it
        var written = DiffusersUNet.Of(options).ToJson();
        Assert.True(JsonNode.DeepEquals(config, JsonNode.Parse(written)), written);
    }

    [Fact]
    public void Of_OwnFourierWaves_WritesTheOrderThatTheyHave()
    {
        using var golden = Golden.Case("diffusers_unet2d/u28_fourier");
        var options = Describe(golden, "model").Options;
        UNetOptions With(WaveOrder order) => options with { Dialect = options.Dialect with { Time = new() { Kind = TimeEmbeddingKind.Fourier, Width = options.Dialect.Time.Width, Order = order } } };

        Assert.False(JsonNode.Parse(DiffusersUNet.Of(With(WaveOrder.SineFirst)).ToJson())!["flip_sin_to_cos"]!.GetValue<bool>());
        Assert.Contains("dialect.time.order is cosineFirst", Assert.Throws<ArgumentException>(() => DiffusersUNet.Of(With(WaveOrder.CosineFirst))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_Empty_HasTheDefaultsOfTheClass()
    {
        var options = DiffusersUNet.Parse("{}").Options;
        Assert.Equal([224, 448, 672, 896], options.Down.Select(block => block.Channels));
        Assert.Equal([false, true, true, true], options.Down.Select(block => block.Attention));
        Assert.Equal([true, true, true, false], options.Up.Select(block => block.Attention));
        Assert.Equal((32, 896, 8, 3), (options.NormGroups, options.TimeDimension, options.Dialect.Attention.HeadWidth, options.Image.Channels));
    }

    [Fact]
    public void Parse_UnknownValues_NameKeyAndValue()
    {
        using var golden = Golden.Case("diffusers_unet2d/u28_basic");
        foreach (var (key, value, named) in s_wrong)
        {
            var config = JsonNode.Parse(File.ReadAllText(golden.File("model/config.json")))!.AsObject();
            config[key] = JsonNode.Parse(value);
            Assert.Contains(named, Assert.Throws<InvalidDataException>(() => DiffusersUNet.Parse(config.ToJsonString())).Message, StringComparison.Ordinal);
        }

        Assert.Throws<InvalidDataException>(() => DiffusersUNet.Parse("[]"));
        Assert.Throws<InvalidDataException>(() => DiffusersUNet.Parse("{"));
    }

    [Fact]
    public void Of_CourseNetwork_SaysWhatTheClassDoesNotHave()
    {
        var message = Assert.Throws<ArgumentException>(() => DiffusersUNet.Of(UNetPresets.Course(new ImageShape(1, 28, 28)))).Message;
        Assert.Contains("cannot be this network", message, StringComparison.Ordinal);
        Assert.Contains("down[0].downsampling is convolution4, and UNet2DModel would have convolution3;", message, StringComparison.Ordinal);
        Assert.DoesNotContain(" { ", message, StringComparison.Ordinal); // no record of the program
    }

    private static DiffusersUNet Describe(GoldenCase golden, string folder) => DiffusersUNet.Parse(File.ReadAllText(golden.File($"{folder}/config.json")));

    private static UNet Build(GoldenCase golden, string folder)
    {
        var described = Describe(golden, folder);
        var unet = UNetBuilder.From(described.Options).Build();
        using var file = Safetensors.Load(golden.File($"{folder}/diffusion_pytorch_model.safetensors"));
        Weights.Load(unet, described.Keys.ToOurs(file));
        return unet;
    }

    private static Tensor? Labels(GoldenCase golden) => golden.Tensors.TryGetValue("class_labels", out var labels) ? labels : null;
}
