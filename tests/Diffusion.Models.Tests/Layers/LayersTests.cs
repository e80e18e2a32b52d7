using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>The layers that users make: shapes, names of weights, how they start, what is refused.</summary>
public sealed class LayersTests
{
    [Fact]
    public void Layers_OfOneInput_HaveTheShapesAndWeightsOfTheirDocumentation()
    {
        using var scope = NewDisposeScope();
        Check(Layers.Conv2d(3, 8, 3, stride: 2, padding: 1), randn(2, 3, 7, 9), [2, 8, 4, 5], "weight", "bias");
        Check(Layers.Conv2d(3, 8, 1, bias: false), randn(2, 3, 7, 9), [2, 8, 7, 9], "weight");
        Check(Layers.ConvTranspose2d(3, 8, 4, stride: 2, padding: 1), randn(2, 3, 5, 6), [2, 8, 10, 12], "weight", "bias");
        Check(Layers.Linear(3, 8), randn(2, 5, 3), [2, 5, 8], "weight", "bias");
        Check(Layers.Embedding(5, 8), tensor([0L, 4]), [2, 8], "weight");
        Check(Layers.GroupNorm(2, 8), randn(2, 8, 3), [2, 8, 3], "weight", "bias");
        Check(Layers.LayerNorm(8), randn(2, 3, 8), [2, 3, 8], "weight", "bias");
        Check(Layers.SinusoidalEmbedding(8), tensor([0L, 999]), [2, 8]);
        Check(Layers.TimeEmbedding(8), tensor([0.5, 999]), [2, 8], "linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias");
        Check(Layers.SelfAttention(8, heads: 2), randn(2, 8, 3, 4), [2, 8, 3, 4], "norm.weight", "norm.bias", "qkv.weight", "qkv.bias", "out.weight", "out.bias");
    }

    [Fact]
    public void Layers_OfTwoInputs_HaveTheShapesOfTheirDocumentation()
    {
        using var scope = NewDisposeScope();
        Check(Layers.CrossAttention(8, 6, heads: 2), randn(2, 5, 8), randn(2, 3, 6), [2, 5, 8]);
        Check(Layers.CrossAttention(8, 6, heads: 3, headWidth: 4), randn(2, 5, 8), randn(2, 3, 6), [2, 5, 8]);
        Check(Layers.SpatialTransformer(8, 6, heads: 2, groups: 4), randn(2, 8, 3, 4), randn(2, 3, 6), [2, 8, 3, 4]);
        Check(Layers.ResidualBlock(8, 16, 6), randn(2, 8, 4, 4), randn(2, 6), [2, 16, 4, 4]);
        Check(Layers.ResidualBlock(8, 8, 6, groups: 4, dropout: 0.5), randn(2, 8, 4, 4), randn(1, 6), [2, 8, 4, 4]);
    }

    [Fact]
    public void Layers_WithTheSameGenerator_StartAsPyTorchsModulesDo()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        using var first = Layers.Linear(64, 64, generator: generator);
        using var again = new Generator(3, CPU);
        using var second = Layers.Linear(64, 64, generator: again);
        TensorAssert.Identical(first.state_dict(), second.state_dict());
        Assert.InRange(first.state_dict()["weight"].abs().max().item<float>(), 0.12, 0.125); // U(−1/8, 1/8)
    }

    [Fact]
    public void Layers_ThatAddTheirInput_StartAsTheIdentity()
    {
        using var scope = NewDisposeScope();
        var (images, time, context) = (randn(2, 8, 4, 4), randn(2, 6), randn(2, 3, 6));
        using var attention = Layers.SelfAttention(8, heads: 2, groups: 4);
        TensorAssert.Close(images, attention.call(images), 0, 0, "self-attention");
        using var block = Layers.ResidualBlock(8, 8, 6);
        TensorAssert.Close(images, block.call(images, time), 0, 0, "residual block");
        using var transformer = Layers.SpatialTransformer(8, 6, heads: 2, groups: 4);
        TensorAssert.Close(images, transformer.call(images, context), 0, 0, "transformer");
    }

    [Fact]
    public void Layers_OfWrongNumbers_AreRefused()
    {
        Assert.Throws<ArgumentOutOfRangeException>(() => Layers.Conv2d(0, 8, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Layers.SelfAttention(8, groups: 0));
        Assert.Throws<ArgumentException>(() => Layers.SelfAttention(8, heads: 3));
        Assert.Throws<ArgumentException>(() => Layers.SelfAttention(8, groups: 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Layers.CrossAttention(8, 6, heads: 0));
        Assert.Throws<ArgumentException>(() => Layers.CrossAttention(8, 6, heads: 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => Layers.CrossAttention(8, 6, headWidth: 0));
        Assert.ThrowsAny<ArgumentException>(() => Layers.SpatialTransformer(8, 0));
        Assert.Throws<ArgumentException>(() => Layers.SpatialTransformer(8, 6));
        Assert.Throws<ArgumentOutOfRangeException>(() => Layers.ResidualBlock(8, 8, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => Layers.ResidualBlock(8, 8, 6, dropout: 1));
        Assert.Throws<ArgumentException>(() => Layers.ResidualBlock(8, 12, 6));
        Assert.Throws<ArgumentException>(() => Layers.SinusoidalEmbedding(3));
        Assert.Throws<ArgumentException>(() => Layers.TimeEmbedding(0));
        Assert.Throws<ArgumentNullException>(() => Layers.Checkpoint((nn.Module<Tensor, Tensor>)null!, null!));
    }

    private static void Check(nn.Module<Tensor, Tensor> layer, Tensor input, long[] shape, params string[] weights)
    {
        Assert.Equal(shape, layer.call(input).shape);
        Assert.Equal(weights, layer.state_dict().Keys);
        layer.Dispose();
    }

    private static void Check(nn.Module<Tensor, Tensor, Tensor> layer, Tensor first, Tensor second, long[] shape)
    {
        Assert.Equal(shape, layer.call(first, second).shape);
        layer.Dispose();
    }
}
