using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>UNetModel against openai/improved-diffusion and openai/guided-diffusion (tests/golden/README.md): arguments, weights, output, gradients.</summary>
public sealed class OpenAIUNetTests
{
    private const string Smallest = "\"in_channels\": 3, \"model_channels\": 32, \"out_channels\": 6, \"num_res_blocks\": 1, \"attention_resolutions\": [2], \"channel_mult\": [1, 2]";

    public static TheoryData<string> Cases => [.. Golden.Cases("openai_unet")];

    [Theory]
    [MemberData(nameof(Cases))]
    public void UNet_RecordedWeights_GivesTheRecordedOutput(string name)
    {
        using var golden = Golden.Case(name);
        using var unet = Build(golden);
        Assert.Equal(golden.Json.GetProperty("parameter_count").GetInt64(), unet.ParameterCount);
        PeerNetwork.CheckOutput(golden, "out", unet, golden["t"], Labels(golden));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void UNet_RecordedBatch_GivesTheRecordedGradients(string name)
    {
        using var golden = Golden.Case(name);
        using var unet = Build(golden);
        PeerNetwork.CheckGradients(golden, unet, Labels(golden), Describe(golden).Keys.ToTheirs);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void ToTheirs_LoadedWeights_AreTheRecordedOnes(string name)
    {
        using var golden = Golden.Case(name);
        using var unet = Build(golden);
        using var theirs = Describe(golden).ToTheirs(unet.state_dict());
        TensorAssert.Identical(golden.WithPrefix("sd."), theirs);
    }

    [Theory]
    [InlineData("\"channel_mult\": [1, 1.5]", "must be a positive multiple of NormGroups, 32; it is 48")]
    [InlineData("\"dims\": 1", "\"dims\" must be 2; it is 1")]
    [InlineData("\"num_head_channels\": 24", "Heads: must divide the block's 64 channels; it is 0")]
    [InlineData("\"context_dim\": 768", "does not know \"context_dim\" (768)")]
    [InlineData("\"model_channels\": null", "\"model_channels\" must be a whole number of at least 1; it is null")]
    public void Parse_UnknownValues_NameKeyAndValue(string argument, string named) =>
        Assert.Contains(named, Assert.Throws<InvalidDataException>(() => OpenAIUNet.Parse($"{{{Smallest}, {argument}}}")).Message, StringComparison.Ordinal);

    [Fact]
    public void Parse_NoConvolutions_ResamplesWithoutWeights()
    {
        var options = OpenAIUNet.Parse($"{{{Smallest}, \"conv_resample\": false, \"num_heads\": 2, \"num_heads_upsample\": 4}}").Options;
        Assert.Equal((Downsampling.Average, Upsampling.NearestOnly), (options.Downsampling, options.Upsampling));
        Assert.Equal((2, 4, 6), (options.Down[1].Heads, options.Up[0].Heads, options.Dialect.OutChannels));
    }

    private static OpenAIUNet Describe(GoldenCase golden) => OpenAIUNet.Parse(golden.Constructor.GetRawText());

    private static UNet Build(GoldenCase golden)
    {
        var described = Describe(golden);
        var unet = UNetBuilder.From(described.Options).Build();
        using var weights = described.ToOurs(golden.WithPrefix("sd."));
        Weights.Load(unet, weights);
        return unet;
    }

    private static Tensor? Labels(GoldenCase golden) => golden.Tensors.TryGetValue("y", out var labels) ? labels : null;
}
