using System.Text.Json.Nodes;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>UNet2DConditionModel against huggingface/diffusers (tests/golden/README.md): configuration, weights, output, gradients.</summary>
public sealed class DiffusersUNet2DConditionTests
{
    private const string Name = "diffusers_unet2d_condition/cond_16";

    private static readonly (string Key, string Value, string Named)[] s_wrong =
    [
        ("down_block_types", "[\"SimpleCrossAttnDownBlock2D\", \"DownBlock2D\"]", "\"SimpleCrossAttnDownBlock2D\""),
        ("up_block_types", "[\"UpBlock2D\"]", "\"up_block_types\" 1"),
        ("attention_head_dim", "[4, 4, 4]", "\"attention_head_dim\" has 3 numbers for 2 blocks"),
        ("attention_head_dim", "5", "must divide the block's 16 channels; it is 5"),
        ("mid_block_type", "\"UNetMidBlock2D\"", "\"UNetMidBlock2D\""),
        ("addition_embed_type", "\"text_time\"", "\"addition_embed_type\" must be null, the only value that this library knows; it is \"text_time\""),
        ("cross_attention_dim", "0", "Dialect.Context.Channels"),
        ("act_fn", "\"gelu\"", "\"act_fn\" must be silu or swish"),
        ("transformer_layers_per_block", "[1, 2]", "\"transformer_layers_per_block\" must be a whole number"),
        ("something_new", "7", "does not know \"something_new\" (7)"),
        ("_class_name", "\"UNet3DConditionModel\"", "\"UNet3DConditionModel\""), ("_class_name", "\"UNet2DModel\"", "down_block_types"),
    ];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void UNet_RecordedBatch_GivesTheRecordedOutputAndGradients(bool checkpointing)
    {
        using var golden = Golden.Case(Name);
        using var unet = Build(golden, checkpointing);
        Assert.Equal(golden.Json.GetProperty("parameter_count").GetInt64(), unet.ParameterCount);
        using var scope = NewDisposeScope();
        Diffusion.MemoryPoison.Spread();
        var output = unet.Predict(golden["x"], golden["t"], context: golden["encoder_hidden_states"]);
        Close(golden["out"], output, 1e-5, "out");
        var loss = nn.functional.mse_loss(output, golden["target"]);
        Close(golden["loss"], loss, 1e-5, "loss");
        Diffusion.MemoryPoison.Spread();
        loss.backward();
        var keys = Describe(golden).Keys;
        var gradients = unet.named_parameters().ToDictionary(entry => keys.ToTheirs(entry.name)!, entry => entry.parameter.grad!);
        var recorded = golden.WithPrefix("grad.");
        Assert.NotEmpty(recorded);
        foreach (var (key, expected) in recorded)
        {
            Close(expected, gradients[key], 1e-4, "gradient of " + key);
        }
    }

    [Fact]
    public void UNet_RecordedWeights_AreWithin1e5OfDoublePrecision()
    {
        using var golden = Golden.Case(Name);
        using var unet = Build(golden);
        using var exact = Build(golden);
        exact.to(ScalarType.Float64);
        using var scope = NewDisposeScope();
        Diffusion.MemoryPoison.Spread();
        nn.functional.mse_loss(unet.Predict(golden["x"], golden["t"], context: golden["encoder_hidden_states"]), golden["target"]).backward();
        nn.functional.mse_loss(
            exact.Predict(golden["x"].to(ScalarType.Float64), golden["t"], context: golden["encoder_hidden_states"].to(ScalarType.Float64)), golden["target"].to(ScalarType.Float64)).backward();
        foreach (var ((name, single), (_, reference)) in unet.named_parameters().Zip(exact.named_parameters()))
        {
            Close(reference.grad!, single.grad!.to(ScalarType.Float64), 1e-4, "gradient of " + name);
        }
    }

    [Fact]
    public void Keys_BothWays_AreThoseOfTheFile()
    {
        using var golden = Golden.Case(Name);
        using var unet = Build(golden);
        using var file = Safetensors.Load(golden.File("model/diffusion_pytorch_model.safetensors"));
        TensorAssert.Identical(file, Describe(golden).Keys.ToTheirs(unet.state_dict()));
    }

    [Fact]
    public void Parse_RecordedConfiguration_IsKeptWordForWord()
    {
        using var golden = Golden.Case(Name);
        var text = File.ReadAllText(golden.File("model/config.json"));
        Assert.True(JsonNode.DeepEquals(JsonNode.Parse(text), JsonNode.Parse(DiffusersUNet.Parse(text).ToJson())));
        Assert.Equal(768 + 512, DiffusersUNet.Parse("""{"_class_name": "UNet2DConditionModel"}""").Options.Dialect.Context!.Channels);
    }

    [Theory]
    [InlineData("{}", "UNet2DModel", 3)]
    [InlineData("""{"_class_name": "UNet2DModel"}""", "UNet2DModel", 3)]
    [InlineData("""{"_class_name": "UNet2DConditionModel"}""", "UNet2DConditionModel", 4)]
    public void Parse_ClassName_SaysWhoseDefaultsCount(string json, string className, int channels)
    {
        var described = DiffusersUNet.Parse(json);
        Assert.Equal((className, channels), (described.ClassName, described.Options.Image.Channels));
        Assert.Equal(className == "UNet2DConditionModel", described.Options.Dialect.Context is not null);
        Assert.Contains(className, described.Keys.Name, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_WhatIsNotKnown_IsNamed()
    {
        using var golden = Golden.Case(Name);
        foreach (var (key, value, named) in s_wrong)
        {
            var config = JsonNode.Parse(File.ReadAllText(golden.File("model/config.json")))!.AsObject();
            config[key] = JsonNode.Parse(value);
            Assert.Contains(named, Assert.Throws<InvalidDataException>(() => DiffusersUNet.Parse(config.ToJsonString())).Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Parse_EveryValueDamaged_IsReadOrRefused()
    {
        using var golden = Golden.Case(Name);
        var text = File.ReadAllText(golden.File("model/config.json"));
        string[] traps = ["null", "-1", "0", "2147483647", "1e999", "\"\\ud800\"", "[]", "[[1]]", "{}", "0.5", "true", "99999999999"];
        var refused = 0;
        foreach (var key in JsonNode.Parse(text)!.AsObject().Select(entry => entry.Key))
        {
            foreach (var trap in traps)
            {
                var entries = JsonNode.Parse(text)!.AsObject().Select(entry => $"\"{entry.Key}\": {(entry.Key == key ? trap : entry.Value?.ToJsonString() ?? "null")}");
                try
                {
                    DiffusersUNet.Parse($"{{{string.Join(", ", entries)}}}");
                }
                catch (InvalidDataException error)
                {
                    Assert.NotEmpty(error.Message);
                    refused++;
                }
            }
        }

        Assert.InRange(refused, 300, 560);
    }

    private static DiffusersUNet Describe(GoldenCase golden) => DiffusersUNet.Parse(File.ReadAllText(golden.File("model/config.json")));

    private static UNet Build(GoldenCase golden, bool checkpointing = false)
    {
        var described = Describe(golden);
        var dialect = described.Options.Dialect with { GradientCheckpointing = checkpointing };
        var unet = UNetBuilder.From(described.Options with { Dialect = dialect }).Build();
        using var file = Safetensors.Load(golden.File("model/diffusion_pytorch_model.safetensors"));
        Weights.Load(unet, described.Keys.ToOurs(file));
        return unet;
    }

    private static void Close(Tensor expected, Tensor actual, double tolerance, string what) =>
        TensorAssert.Close(expected, actual, tolerance * expected.abs().max().to(ScalarType.Float64).item<double>(), 0, what);
}
