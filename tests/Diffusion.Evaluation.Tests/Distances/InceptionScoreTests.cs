using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Distances;

/// <summary>Inception scores against torch-fidelity (tests/golden/README.md).</summary>
public class InceptionScoreTests
{
    [Fact]
    public void Of_RecordedLogits_RecordedScore()
    {
        using var recorded = Golden.Case("metrics/inception_score");
        var score = InceptionScore.Of(recorded["logits"]);
        Assert.Equal(recorded["mean"].item<double>(), score.Mean, 1e-9);
        Assert.Equal(recorded["std"].item<double>(), score.Deviation, 1e-9);
        Assert.Equal((200, 10), (score.Images, score.Splits));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(10)]
    public void Of_RecordedOrder_RecordedScore(int splits)
    {
        using var recorded = Golden.Case("metrics/inception_score_shuffled");
        using var shuffled = recorded["logits"].index_select(0, recorded["permutation"]);
        Close(recorded[$"score.s{splits}"], InceptionScore.Of(shuffled, splits));
        Close(recorded[$"unshuffled.s{splits}"], InceptionScore.Of(recorded["logits"], splits));

        static void Close(Tensor expected, InceptionScore score)
        {
            using var actual = tensor(new[] { score.Mean, score.Deviation }, dtype: ScalarType.Float64);
            TensorAssert.Close(expected, actual, 1e-9, 1e-9, "score");
        }
    }

    /// <summary>Sure and even: the number of classes. All of one class, or unsure: 1. With images sorted by class, splits hold one class each, and a seed mends it.</summary>
    [Fact]
    public void Of_Extremes_KnownScores()
    {
        using var sure = eye(8, dtype: ScalarType.Float64).repeat(6, 1) * tensor(2000.0);
        using var sorted = eye(8, dtype: ScalarType.Float64).repeat_interleave(6, 0) * tensor(2000.0);
        using var one = sure[..1].repeat(16, 1);
        using var unsure = ones(16, 8, dtype: ScalarType.Float64);
        Assert.Equal(8, InceptionScore.Of(sure, 2).Mean, 1e-12);
        Assert.Equal(1, InceptionScore.Of(one, 2).Mean, 1e-12);
        Assert.Equal(1, InceptionScore.Of(unsure, 2).Mean, 1e-12);
        Assert.Equal(1, InceptionScore.Of(sorted, 8).Mean, 1e-12);
        Assert.InRange(InceptionScore.Of(sorted, 8, seed: 1).Mean, 4, 8);
        Assert.Equal(InceptionScore.Of(sorted, 8, seed: 1), InceptionScore.Of(sorted, 8, seed: 1));
        Assert.NotEqual(InceptionScore.Of(sorted, 8, seed: 1), InceptionScore.Of(sorted, 8, seed: 2));
        Assert.Equal("8 ± 0 (48 images, 2 splits)", InceptionScore.Of(sure, 2).ToString());
    }

    /// <summary>Sure images of classes drawn evenly: the bias is (K − 1)/2n of the score, which the remark of a report says, and nearly gone in one split.</summary>
    [Fact]
    public void Of_SmallSplits_IsTooSmallByWhatIsSaid()
    {
        var random = new SeededRandom(5);
        using var classes = tensor([.. Enumerable.Range(0, 10_000).Select(_ => (long)random.Next(10))]);
        using var rows = eye(10, dtype: ScalarType.Float64) * tensor(2000.0);
        using var logits = rows.index_select(0, classes);
        Assert.Equal(10 * (1 - (9 / 200.0)), InceptionScore.Of(logits, 100).Mean, 0.05);
        Assert.Equal(10, InceptionScore.Of(logits, 1).Mean, 0.02);
    }

    [Fact]
    public void Of_WhatCannotBe_NamesIt()
    {
        using var logits = ones(4, 3, dtype: ScalarType.Float32);
        using var infinite = logits / tensor(0f);
        Assert.Contains("[1, 4]", Assert.Throws<ArgumentOutOfRangeException>(() => InceptionScore.Of(logits)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => InceptionScore.Of(logits, 0));
        Assert.Contains("'logits' is ∞", Assert.Throws<ArgumentException>(() => InceptionScore.Of(infinite, 1)).Message.Replace("Infinity", "∞", StringComparison.Ordinal), StringComparison.Ordinal);
    }
}
