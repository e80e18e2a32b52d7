using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class SinusoidalEmbeddingTests
{
    [Theory]
    [InlineData("explainingai/time_embedding_a")]
    [InlineData("explainingai/time_embedding_b")]
    public void Embed_RecordedTimesteps_EqualsTheRecorded(string name)
    {
        using var golden = Golden.Case(name);
        foreach (var (dimension, expected) in golden.WithPrefix("emb_dim"))
        {
            using var actual = SinusoidalEmbedding.Embed(golden["t"], int.Parse(dimension, System.Globalization.CultureInfo.InvariantCulture));
            TensorAssert.Close(expected, actual, golden.AbsoluteTolerance, golden.RelativeTolerance, "dimension " + dimension);
        }
    }

    [Fact]
    public void Embed_FractionalTimestep_LiesBetween()
    {
        using var scope = NewDisposeScope();
        var embedded = SinusoidalEmbedding.Embed(tensor([1.0, 1.5, 2.0]), 4);
        Assert.Equal(Math.Sin(1.5), embedded[1, 0].item<float>(), 1e-6);
        Assert.Equal(Math.Cos(0.015), embedded[1, 3].item<float>(), 1e-6);
    }

    [Fact]
    public void Embed_WrongArguments_AreRefused()
    {
        using var scope = NewDisposeScope();
        Assert.Throws<ArgumentException>(() => SinusoidalEmbedding.Embed(tensor([1L]), 3));
        Assert.Throws<ArgumentException>(() => SinusoidalEmbedding.Embed(zeros(2, 2), 4));
    }
}
