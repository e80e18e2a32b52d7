using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class BrownianNoiseTests
{
    private static readonly long[] Shape = [2, 3, 4, 4];

    /// <summary>Over 40,000 numbers an interval the bounds are four to five standard errors.</summary>
    [Fact]
    public void Between_DisjointIntervals_GivesIndependentStandardNormalNoise()
    {
        using var scope = NewDisposeScope();
        using var noise = new BrownianNoise(12);
        double[] clocks = [0.999, 0.75, 0.74, 0.5, 0.1 + 1e-6, 0.1, 0.03, 1e-3, 1e-6, 0];
        var increments = stack([.. clocks.Zip(clocks.Skip(1), (from, to) => noise.Between([4, 1, 100, 100], CPU, from, to).flatten())]).to(ScalarType.Float64);
        var count = increments.shape[1];
        var covariance = increments.matmul(increments.t()) / count;
        for (var i = 0; i < clocks.Length - 1; i++)
        {
            Assert.Equal(0, increments[i].mean().item<double>(), 0.022);
            Assert.Equal(3, increments[i].pow(4).mean().item<double>(), 0.25);
            for (var j = 0; j < clocks.Length - 1; j++)
            {
                Assert.Equal(i == j ? 1 : 0, covariance[i, j].item<double>(), i == j ? 0.032 : 0.022);
            }
        }

        var images = increments.view(-1, 4, 10_000).transpose(0, 1).flatten(1); // [9, 4·N] → [4, 9·N]
        var between = images.matmul(images.t()) / images.shape[1];
        Assert.True((between - eye(4, dtype: ScalarType.Float64)).abs().max().item<double>() < 0.02);
    }

    [Fact]
    public void Between_IntervalsWithinALeafOfOthers_KeepsTheVariance()
    {
        using var noise = new BrownianNoise(5);
        foreach (var width in new[] { 1.0 / (1 << 24), 1.5 / (1 << 24), 1e-5, 0.3 })
        {
            using var increment = noise.Between([1, 1, 150, 150], CPU, 0.6, 0.6 + width);
            Assert.Equal(1, increment.std().item<float>(), 0.025);
        }
    }

    [Theory]
    [InlineData(0.9, 0.4, 0.1)]
    [InlineData(1, 0.5, 0)]
    [InlineData(0.3, 0.300001, 0.7)]
    [InlineData(0.123, 0.122999, 0.122)]
    [InlineData(0, 0.25, 1)]
    [InlineData(0.8, 0.2, 0.6)]
    public void Between_AdjoiningIntervals_AddUp(double a, double b, double c)
    {
        using var scope = NewDisposeScope();
        using var noise = new BrownianNoise(12);
        var whole = Increment(a, c);
        TensorAssert.Close(whole, Increment(a, b) + Increment(b, c), 1e-6, 1e-6, "sum");
        TensorAssert.Close(-whole, Increment(c, a), 0, 0, "reverse");

        Tensor Increment(double from, double to) => noise.Between(Shape, CPU, from, to) * Math.Sqrt(Math.Abs(to - from));
    }

    [Fact]
    public void Between_AnyOrderOfCalls_GivesTheSameNoise()
    {
        using var scope = NewDisposeScope();
        using var used = new BrownianNoise(12);
        (double, double)[] steps = [(1, 0.7), (0.7, 0.3), (0.5, 0.30000001), (0.3, 0), (0, 1), (0.7, 0.6999), (0.5, 0.25), (0.25, 0.5), (0.7, 0.3)];
        foreach (var (from, to) in steps)
        {
            using var fresh = new BrownianNoise(12);
            TensorAssert.Identical(fresh.Between(Shape, CPU, from, to), used.Between(Shape, CPU, from, to), $"{from} to {to}");
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(17)]
    public void Between_OneByOneOrTogether_IsTheSameToTheBit(int side)
    {
        using var scope = NewDisposeScope();
        using var batch = new BrownianNoise(9);
        double[] clocks = [1, 0.8123, 0.31, 0.05];
        var together = clocks.Zip(clocks.Skip(1), (from, to) => batch.Between([64, 1, side, side], CPU, from, to)).ToArray();
        for (var i = 0; i < 64; i += 9)
        {
            using var one = new BrownianNoise(9, firstImage: i);
            for (var step = 0; step < together.Length; step++)
            {
                TensorAssert.Identical(together[step][i..(i + 1)], one.Between([1, 1, side, side], CPU, clocks[step], clocks[step + 1]), $"image {i}, step {step}");
            }
        }
    }

    [Fact]
    public void Draw_WithOrWithoutAPath_IsThatOfSeededNoiseAndIndependentOfThePath()
    {
        using var scope = NewDisposeScope();
        long[] shape = [2, 1, 150, 150];
        using var noise = new BrownianNoise(7, firstImage: 3);
        using var seeded = new SeededNoise(7, firstImage: 3);
        var path = noise.Between(shape, CPU, 1, 0);
        var start = noise.Draw(shape, CPU);
        TensorAssert.Identical(seeded.Draw(shape, CPU), start, "start");
        TensorAssert.Identical(seeded.Draw(shape, CPU), noise.Draw(shape, CPU), "second draw");
        Assert.Equal(0, (start * path).mean().item<float>(), 0.02);
    }

    [Fact]
    public void Between_OtherSeedsAndImages_GivesOtherNoise()
    {
        using var scope = NewDisposeScope();
        var first = Of(1, 0);
        foreach (var other in new[] { Of(2, 0), Of(1, 2), Of(-1, 0) })
        {
            Assert.True((first - other).abs().min().item<float>() > 0);
        }

        Tensor Of(long seed, long image)
        {
            using var noise = new BrownianNoise(seed, image);
            return noise.Between(Shape, CPU, 0.9, 0.2);
        }
    }

    [Fact]
    public void Between_SourceWithoutAPath_IsTheNextDraw()
    {
        using var scope = NewDisposeScope();
        using var one = new SeededNoise(3);
        using var two = new SeededNoise(3);
        TensorAssert.Identical(one.Draw(Shape, CPU), two.Between(Shape, CPU, 0.5, 0.2), "first");
        TensorAssert.Identical(one.Draw(Shape, CPU), two.Between(Shape, CPU, 0.5, 0.2), "second");
    }

    [Fact]
    public void Between_ManySteps_LeavesNothingBehindAndOutlivesScopes()
    {
        Leaks.None(() =>
        {
            using var noise = new BrownianNoise(1);
            for (var i = 100; i > 0; i--)
            {
                using var step = NewDisposeScope();
                noise.Between(Shape, CPU, i / 100.0, (i - 1) / 100.0);
            }

            using var back = noise.Between(Shape, CPU, 0.3, 0.9);
        });
    }

    [Fact]
    public void Between_BadArguments_SaysWhatIsWrong()
    {
        using var noise = new BrownianNoise(1);
        Assert.Equal("clockFrom", Assert.Throws<ArgumentOutOfRangeException>(() => noise.Between(Shape, CPU, 1.1, 0)).ParamName);
        Assert.Equal("clockFrom", Assert.Throws<ArgumentOutOfRangeException>(() => noise.Between(Shape, CPU, double.NaN, 0)).ParamName);
        Assert.Equal("clockTo", Assert.Throws<ArgumentOutOfRangeException>(() => noise.Between(Shape, CPU, 1, -1e-9)).ParamName);
        Assert.Throws<ArgumentException>(() => noise.Between(Shape, CPU, 0.5, 0.5));
        Assert.Contains("2^-24", Assert.Throws<ArgumentException>(() => noise.Between(Shape, CPU, 0.5, 0.5 + 1e-9)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentException>(() => noise.Between([], CPU, 1, 0));
        Assert.Throws<ArgumentException>(() => noise.Between([2, 0], CPU, 1, 0));
        using var first = noise.Between(Shape, CPU, 1, 0);
        Assert.Contains("[2, 3, 4, 5]", Assert.Throws<ArgumentException>(() => noise.Between([2, 3, 4, 5], CPU, 1, 0)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BrownianNoise(1, -1));
    }
}
