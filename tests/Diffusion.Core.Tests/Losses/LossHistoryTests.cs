using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class LossHistoryTests
{
    /// <summary>Against openai/improved-diffusion (tests/golden/README.md).</summary>
    [Fact]
    public void Probabilities_AfterEveryBatch_EqualTheRecorded()
    {
        using var golden = Golden.Case("openai_diffusion/loss_second_moment_resampler");
        var arguments = golden.Constructor;
        var (timesteps, kept) = (arguments.GetProperty("num_timesteps").GetInt32(), arguments.GetProperty("history_per_term").GetInt32());
        var history = new LossHistory(timesteps, kept, arguments.GetProperty("uniform_prob").GetDouble());
        var (steps, losses, weights) = (golden.Numbers("ts").Chunk(8).ToArray(), golden.Numbers("losses").Chunk(8).ToArray(), golden.Numbers("weights").Chunk(timesteps).ToArray());
        Assert.Equal(8, golden["ts"].shape[1]);
        for (var i = 0; i < steps.Length; i++)
        {
            history.Add([.. steps[i].Select(t => (int)t)], losses[i]);
            var sum = weights[i].Sum(); // until the history is full the peer's weights are 1
            Assert.All(history.Probabilities().Zip(weights[i]), pair => Assert.Equal(pair.Second / sum, pair.First, golden.AbsoluteTolerance));
        }

        Assert.True(history.IsFull);
    }

    [Fact]
    public void Draw_FullHistory_WeighsSoThatTheMeanStays()
    {
        var schedule = new LinearNoiseSchedule(4, 0.1, 0.2);
        var distribution = TimestepDistribution.LossSecondMoment(losses: 2, uniformShare: 0.1);
        var history = distribution.NewHistory(schedule)!;
        double[] losses = [8, 1, 1, 2];
        foreach (var scale in new[] { 5, 1, -1 }) // the first gives way, and a sign does not matter
        {
            history.Add([0, 1, 2, 3], [.. losses.Select(loss => loss * scale)]);
        }

        Assert.Equal((0.9 * 8 / 12) + 0.025, history.Probabilities()[0], 1e-12);
        using var generator = new Generator(2);
        var draw = distribution.Draw(schedule, 40_000, generator, history);
        Assert.Equal(history.Probabilities()[0], draw.Timesteps!.Count(t => t == 0) / 40_000.0, 0.01);
        Assert.Equal(losses.Average(), draw.Timesteps!.Select((t, i) => losses[t] * draw.Weights[i]).Average(), 0.05);
    }

    [Fact]
    public void Load_SavedState_GoesOnTheSame()
    {
        var history = new LossHistory(2, 3);
        history.Add([0, 1, 1, 0, 1, 0, 0], [1, 2, 3, 4, 5, 6, 7]);
        var (losses, counts) = history.Save();
        using (losses)
        using (counts)
        {
            var other = new LossHistory(2, 3);
            Assert.False(other.IsFull);
            other.Load(losses, counts);
            Assert.True(other.IsFull);
            Assert.Equal(history.Probabilities(), other.Probabilities());
            other.Add([1], [9]);
            Assert.NotEqual(history.Probabilities(), other.Probabilities());
        }
    }

    [Fact]
    public void LossHistory_WrongArguments_SaysWhatWasGivenAndWhatIsNeeded()
    {
        var history = new LossHistory(3, 2);
        Assert.Contains("2 timesteps and 1 losses", Assert.Throws<ArgumentException>(() => history.Add([0, 1], [1])).Message, StringComparison.Ordinal);
        Assert.Contains("index 1 must be in [0, 3)", Assert.Throws<ArgumentOutOfRangeException>(() => history.Add([0, 3], [1, 1])).Message, StringComparison.Ordinal);
        Assert.Contains("losses[0] is NaN", Assert.Throws<ArgumentException>(() => history.Add([0], [double.NaN])).Message, StringComparison.Ordinal);
        Assert.Equal("uniformShare", Assert.Throws<ArgumentOutOfRangeException>(() => new LossHistory(3, 2, 2)).ParamName);
        using var losses = zeros([3, 2], ScalarType.Float64);
        using var counts = full([3], 3L, ScalarType.Int64);
        Assert.Contains("in [0, 2]; there are 3 to 3", Assert.Throws<ArgumentException>(() => history.Load(losses, counts)).Message, StringComparison.Ordinal);
        Assert.Contains("Float64 of shape [3, 2]; it is Int64 of shape [3]", Assert.Throws<ArgumentException>(() => history.Load(counts, counts)).Message, StringComparison.Ordinal);
    }
}
