namespace Diffusion.Models.Tests;

/// <summary>The presets against the numbers of parameters that their authors publish, counted without building them.</summary>
public sealed class UNetPresetsTests
{
    [Fact]
    public void DdpmCifar10_Summary_HasThePublishedParameters() => Assert.Equal(35_746_307, UNetSummary.Of(UNetPresets.DdpmCifar10()).Parameters);

    [Fact]
    public void StableDiffusion_Summary_HasThePublishedParameters()
    {
        Assert.Equal(859_520_964, UNetSummary.Of(UNetPresets.StableDiffusion1()).Parameters);
        Assert.Equal(865_910_724, UNetSummary.Of(UNetPresets.StableDiffusion2()).Parameters);
    }

    [Theory]
    [InlineData(64, 296)]
    [InlineData(128, 422)]
    [InlineData(256, 554)]
    [InlineData(512, 559)]
    public void GuidedDiffusion_Summary_HasThePublishedParameters(int size, int millions) =>
        Assert.Equal(millions, Math.Round(UNetSummary.Of(UNetPresets.GuidedDiffusion(size, 1000)).Parameters / 1e6));

    [Theory]
    [InlineData(32)]
    [InlineData(64)]
    [InlineData(256)]
    public void ImprovedDiffusion_EverySize_IsWithoutMistakes(int size)
    {
        var options = UNetPresets.ImprovedDiffusion(size);
        Assert.Empty(options.Validate());
        Assert.Equal(6, options.Dialect.OutChannels);
    }

    [Fact]
    public void Diffusers_Default_IsTheDefaultOfTheClass()
    {
        var options = UNetPresets.Diffusers(new ImageShape(1, 28, 28));
        Assert.Empty(options.Validate());
        Assert.Equal(new ImageShape(1, 28, 28), options.Image);
        Assert.Equal(274, Math.Round(UNetSummary.Of(options).Parameters / 1e6));
    }

    [Fact]
    public void Diffusers_Channels_IsTheClassWithThese()
    {
        var options = UNetPresets.Diffusers(new ImageShape(1, 28, 28), [32, 64]);
        const string json = """
            {
              "sample_size": 28, "in_channels": 1, "out_channels": 1, "block_out_channels": [32, 64],
              "down_block_types": ["DownBlock2D", "AttnDownBlock2D"], "up_block_types": ["AttnUpBlock2D", "UpBlock2D"]
            }
            """;
        Assert.Equal(DiffusersUNet.Of(DiffusersUNet.Parse(json).Options).ToJson(), DiffusersUNet.Of(options).ToJson());
        Assert.Equal(1_190_659, UNetSummary.Of(UNetPresets.Diffusers(new ImageShape(3, 32, 32), [32, 32, 64])).Parameters);
    }

    [Theory]
    [InlineData("Down[1].Channels: must be a positive multiple of NormGroups, 32; it is 40", 32, 40)]
    [InlineData("each at least 1", 32, 0)]
    [InlineData("has 0 widths")]
    public void Diffusers_ChannelsThatCannotBe_SaysWhich(string message, params int[] channels)
    {
        var error = Assert.Throws<ArgumentException>(nameof(channels), () => UNetPresets.Diffusers(new ImageShape(3, 32, 32), channels));
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void DdpmCifar10_AsDiffusers_IsTheConfigurationOfItsModel()
    {
        var written = DiffusersUNet.Of(UNetPresets.DdpmCifar10()).ToJson();
        foreach (var part in (string[])["\"downsample_padding\": 0", "\"freq_shift\": 1", "\"flip_sin_to_cos\": false", "\"attention_head_dim\": null", "\"norm_num_groups\": 32"])
        {
            Assert.Contains(part, written, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Presets_UnknownSize_SaysWhichThereAre()
    {
        Assert.Contains("64, 128, 256 and 512", Assert.Throws<ArgumentOutOfRangeException>(() => UNetPresets.GuidedDiffusion(100)).Message, StringComparison.Ordinal);
        Assert.Contains("32, 64 and 256", Assert.Throws<ArgumentOutOfRangeException>(() => UNetPresets.ImprovedDiffusion(100)).Message, StringComparison.Ordinal);
    }
}
