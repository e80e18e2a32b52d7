namespace Diffusion.Benchmarks.Tests;

/// <summary>The goals of the comparison by level.</summary>
public sealed class GoalTests
{
    [Theory]
    [InlineData(ProcessorLevel.Avx512BFloat16, "≤ 0.3")]
    [InlineData(ProcessorLevel.Avx512, "≤ 0.6")]
    [InlineData(ProcessorLevel.Avx2, "≤ 0.65")]
    [InlineData(ProcessorLevel.Plain, "≤ 1")]
    public void Describe_AtALevel_IsTheBoundThere(ProcessorLevel level, string expected) =>
        Assert.Equal(expected, Goals.Course.Single(goal => goal.Key == "train_step.bf16").Describe(level));

    [Fact]
    public void IsMet_ByTheMedianOrAsGoodAsEagerOnce_IsByLevel()
    {
        var goal = new Goal("key", "what", new(0.5, 0.6, null, 1));
        var samples = new Samples([0.4, 0.55, 1.5]);
        Assert.False(goal.IsMet(ProcessorLevel.Avx512BFloat16, samples));
        Assert.True(goal.IsMet(ProcessorLevel.Avx512, samples));
        Assert.Null(goal.IsMet(ProcessorLevel.Avx2, samples));
        Assert.True(goal.IsMet(ProcessorLevel.Plain, new Samples([0.9, 1.2, 1.3])));
    }

    [Fact]
    public void Of_AllNetworks_HasEachKeyOnce()
    {
        var goals = Goals.Of(ComparedNetworks.Names);
        Assert.Equal(goals.Count, goals.DistinctBy(goal => goal.Key).Count());
        string[] parts = ["train_step.fp32", "train_step.bf16", "reverse_b4.fp32", "reverse_b4.bf16", "reverse_b1.fp32", "reverse_b1.bf16", "peak_memory.fp32", "peak_memory.bf16"];
        Assert.Equal(parts.Select(part => $"ddpm-cifar10.{part}"), goals.Where(goal => goal.Key.StartsWith("ddpm-cifar10.", StringComparison.Ordinal)).Select(goal => goal.Key));
        Assert.All(goals.Where(goal => goal.Key.EndsWith("peak_memory.fp32", StringComparison.Ordinal) && goal.Key.Contains('-')), goal => Assert.Null(goal.Bound(ProcessorLevel.Avx512)));
    }
}
