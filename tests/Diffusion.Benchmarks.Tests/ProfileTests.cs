using Diffusion.Models;

namespace Diffusion.Benchmarks.Tests;

/// <summary>A profile leaves nothing out.</summary>
public sealed class ProfileTests
{
    [Fact]
    public void NetworkProfile_SmallestNetwork_HasEveryBlockOfTheSummary()
    {
        var size = ReferenceSize.Quick;
        using var networks = new ReferencePair(size.Network, size.Image);
        using var images = new RandomImages(networks.Image, size.TrainBatch);
        var profile = NetworkProfile.Of(networks.Ours, images.All, backward: true, repeats: 1, NumberFormat.Fp32);
        var blocks = UNetSummary.Of(networks.Ours.Options).Rows.Select(row => row.Block);
        Assert.Empty(blocks.Except(profile.Blocks.Select(block => block.Block)));
        Assert.All(profile.Blocks.Where(block => block.Block != "time"), block => Assert.True(block.Alone is { Forward: > 0, Backward: > 0 }, block.Block));
        Assert.DoesNotContain(profile.Families, family => family.Family == LayerFamily.Other);
        Assert.Contains(profile.Families, family => family is { Family: "convolution 3×3", Count: > 0 });
    }

    [Fact]
    public void TensorLayout_OfAPermutedTensor_MakesOneLikeIt()
    {
        using var scope = TorchSharp.torch.NewDisposeScope();
        var original = TorchSharp.torch.zeros(2, 3, 4, 5).permute(0, 3, 1, 2);
        var copy = TensorLayout.Of(original).Create();
        Assert.Equal(original.shape, copy.shape);
        Assert.Equal(original.stride(), copy.stride());
    }
}
