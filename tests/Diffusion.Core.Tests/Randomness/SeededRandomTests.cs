namespace Diffusion.Tests;

public sealed class SeededRandomTests
{
    /// <summary>The same as a calculation with big integers in another language gives.</summary>
    [Fact]
    public void Next_FixedSeed_GivesTheRecordedNumbers()
    {
        var random = new SeededRandom(7);
        Assert.Equal([797, 430, 776, 54, 545, 84], Enumerable.Range(0, 6).Select(_ => random.Next(1000)));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    public void Next_ManyDraws_AreEvenlySpread(int count)
    {
        const int draws = 60_000;
        var random = new SeededRandom(1);
        var seen = new int[count];
        for (var i = 0; i < draws; i++)
        {
            seen[random.Next(count)]++;
        }

        var expected = draws / (double)count;
        Assert.All(seen, number => Assert.InRange(number, expected - (5 * Math.Sqrt(expected)), expected + (5 * Math.Sqrt(expected))));
    }

    [Fact]
    public void NextDouble_FirstNumbersOfStreams_AreUniformAndUnrelated()
    {
        var numbers = Enumerable.Range(0, 20_000).Select(stream => new SeededRandom(5, stream).NextDouble()).ToArray();
        Assert.All(numbers, number => Assert.InRange(number, 0, Math.BitDecrement(1)));
        Assert.Equal(0.5, numbers.Average(), 0.01);
        Assert.Equal(1 / 12.0, numbers.Select(number => (number - 0.5) * (number - 0.5)).Average(), 0.002);
        Assert.Equal(0, numbers.Zip(numbers.Skip(1)).Average(pair => (pair.First - 0.5) * (pair.Second - 0.5)), 0.003);
        Assert.NotEqual(numbers[0], new SeededRandom(6, 0).NextDouble());
    }

    [Fact]
    public void NextSeed_OneAfterAnother_DoNotRepeat()
    {
        var random = new SeededRandom(0);
        Assert.Equal(10_000, Enumerable.Range(0, 10_000).Select(_ => random.NextSeed()).Distinct().Count());
    }

    [Fact]
    public void Next_NothingToChooseFrom_IsRefused() => Assert.Throws<ArgumentOutOfRangeException>(() => new SeededRandom(0).Next(0));
}
