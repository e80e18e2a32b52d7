using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Networks on patches of pixels.</summary>
public sealed class UNetPatchTests
{
    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void Predict_OnPatches_IsTheNetworkOfTheirChannels(int patch)
    {
        using var scope = NewDisposeScope();
        using var unet = Builder(new(2, 16, 24), patch).Build(seed: 3);
        using var plain = Builder(new(2 * patch * patch, 16 / patch, 24 / patch), 1).Build(seed: 3);
        var (images, timesteps) = (rand(3, 2, 16, 24, ScalarType.Float32), tensor([1L, 7L, 99L]));

        var expected = nn.functional.pixel_shuffle(plain.call(nn.functional.pixel_unshuffle(images, patch), timesteps), patch);

        Assert.Equal(expected.data<float>().ToArray(), unet.call(images, timesteps).data<float>().ToArray());
        Assert.Equal(unet.ParameterCount, UNetSummary.Of(unet.Options).Parameters);
        Assert.Equal(UNetSummary.Of(plain.Options).MultiplyAdds, UNetSummary.Of(unet.Options).MultiplyAdds);
    }

    [Fact]
    public void Predict_OneChangedPixel_EntersAsTheChannelOfItsPlaceInThePatch()
    {
        using var scope = NewDisposeScope();
        using var unet = Builder(new(1, 8, 8), 2).Build();
        var images = zeros(1, 1, 8, 8, ScalarType.Float32);
        images[0, 0, 5, 2] = 1; // patch row 2, column 1; in it row 1, column 0: channel 2

        var patches = nn.functional.pixel_unshuffle(images, 2);

        Assert.Equal(1, patches[0, 2, 2, 1].item<float>());
        using var plain = Builder(new(4, 4, 4), 1).Build();
        Assert.Equal(plain.call(patches, tensor([5L]))[0, 2, 2, 1].item<float>(), unet.call(images, tensor([5L]))[0, 0, 5, 2].item<float>());
    }

    [Fact]
    public void Build_PatchesWithOtherChannels_CountsThemByPatch()
    {
        using var scope = NewDisposeScope();
        using var unet = Builder(new(1, 8, 8), 2).With(options => options with { Dialect = options.Dialect with { ExtraChannels = 1, OutChannels = 2 } }).Build();
        Assert.Equal([2, 2, 8, 12], unet.call(rand(2, 2, 8, 12, ScalarType.Float32), tensor([3L])).shape);
        Assert.Equal([8, 8, 3, 3], unet.state_dict()["conv_in.weight"].shape);
        Assert.Equal(8, unet.state_dict()["conv_out.weight"].shape[0]);
    }

    [Theory]
    [InlineData(0, "Dialect.PatchSize: must be at least 1 and divide the image's 28×28 pixels; it is 0.")]
    [InlineData(-2, "Dialect.PatchSize: must be at least 1 and divide the image's 28×28 pixels; it is -2.")]
    [InlineData(3, "Dialect.PatchSize: must be at least 1 and divide the image's 28×28 pixels; it is 3.")]
    public void Build_PatchThatDoesNotDivide_Throws(int patch, string message)
    {
        var error = Assert.Throws<ArgumentException>(() => Builder(new(1, 28, 28), patch).Build());
        Assert.Contains(message, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Build_MoreHalvingsThanThePatchesAllow_SaysHowManyThereAre()
    {
        var error = Assert.Throws<ArgumentException>(() => Builder(new(1, 8, 8), 4).Down(8, layers: 1).Build());
        Assert.Contains("2×2 patches allows 1 halvings", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Predict_SizeThatPatchesDoNotFill_SaysWhatIsNeeded()
    {
        using var scope = NewDisposeScope();
        using var unet = Builder(new(1, 8, 8), 2).Build();
        var error = Assert.Throws<ArgumentException>(() => unet.call(zeros(1, 1, 8, 9, ScalarType.Float32), tensor([1L])));
        Assert.Contains("[B, 1, H, W] with sides that PatchSize, 2, divides; the shape is [1, 1, 8, 9]", error.Message, StringComparison.Ordinal);
    }

    private static UNetBuilder Builder(ImageShape image, int patch) => UNetBuilder.ForImages(image)
        .With(options => options with { TimeDimension = 16, ZeroInitialize = false, Dialect = new() { PatchSize = patch } })
        .Down(8, layers: 1).Down(16, layers: 1, attention: true).Mid(16);
}
