using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class DropoutTests
{
    private static readonly LayerSeed s_seed = new(5, 0);

    [Theory]
    [InlineData(0.1)]
    [InlineData(0.5)]
    [InlineData(0.9)]
    public void Kept_AnyRate_HasThatPartInEveryImageAndChannel(double rate)
    {
        using var scope = NewDisposeScope();
        var keeps = Dropout.Kept(s_seed, [8, 16, 64, 64], 1 - rate, CPU).to(ScalarType.Float64);
        void Check(Tensor parts, double count) => Assert.All(parts.data<double>().ToArray(), part => Assert.Equal(1 - rate, part, 5 * Math.Sqrt(rate * (1 - rate) / count)));

        Check(keeps.mean([1, 2, 3]), 16 * 4096);
        Check(keeps.mean([2L, 3L]).flatten(), 4096);
        Check(keeps.mean([0L, 1L]).view(-1), 128);
    }

    [Fact]
    public void Kept_NeighboursImagesAndCalls_AreIndependent()
    {
        using var scope = NewDisposeScope();
        var keeps = Dropout.Kept(s_seed, [2, 1 << 16], 0.5, CPU).to(ScalarType.Float64);
        var other = Dropout.Kept(s_seed with { Value = 6 }, [2, 1 << 16], 0.5, CPU).to(ScalarType.Float64);
        Tensor[] pairs = [keeps[0] * keeps[1], keeps[0] * other[0], keeps[1] * other[0], .. new[] { 1, 2, 3, 64, 4096 }.Select(apart => keeps[0].roll(apart) * keeps[0])];

        Assert.All(pairs, both => Assert.Equal(0.25, both.mean().item<double>(), 5 * Math.Sqrt(0.1875 / (1 << 16))));
    }

    [Theory]
    [InlineData(4, 7)]
    [InlineData(3, 1)]
    [InlineData(2, 50000)]
    public void Kept_PartsOfABatchThreadsAndDevices_AreTheSame(long images, long values)
    {
        using var scope = NewDisposeScope();
        var (threads, keys) = (get_num_threads(), Enumerable.Range(0, (int)images).Select(i => SeedMixer.Mix(5, SeedMixer.Purpose.LayerImage, i)).ToArray());
        try
        {
            set_num_threads(1);
            var one = Dropout.Kept(s_seed, [images, values], 0.7, CPU);
            set_num_threads(3);
            var more = Dropout.Kept(s_seed, [images, values], 0.7, CPU);
            var parts = cat([Dropout.Kept(s_seed, [1, values], 0.7, CPU), Dropout.Kept(s_seed with { FirstImage = 1 }, [images - 1, values], 0.7, CPU)]);

            TensorAssert.Identical(one, more, "threads");
            TensorAssert.Identical(one, parts, "parts");
            TensorAssert.Identical(one, Dropout.OnDevice(keys, [images, values], (ulong)Math.Round(0.7 * (1UL << 32)), CPU), "device");
        }
        finally
        {
            set_num_threads(threads);
        }
    }

    [Fact]
    public void Of_Values_AreZeroOrScaledAndSoAreGradients()
    {
        using var scope = NewDisposeScope();
        var values = ones([4, 1000], requires_grad: true);

        var output = Dropout.Of(values, 0.2);
        output.sum().backward();

        Assert.Equal([0, 1.25f], output.data<float>().ToArray().Distinct().Order());
        TensorAssert.Identical(output.detach(), values.grad!, "gradient");
    }

    [Fact]
    public void Of_NoStep_IsRepeatedByTheGlobalSeedAndDrawsAnewEachTime()
    {
        using var scope = NewDisposeScope();
        var values = ones([4, 1000]);
        Tensor[] Draw()
        {
            random.manual_seed(3);
            return [Dropout.Of(values, 0.5), Dropout.Of(values, 0.5)];
        }

        var (first, second) = (Draw(), Draw());

        TensorAssert.Identical(first[0], second[0], "first");
        TensorAssert.Identical(first[1], second[1], "second");
        Assert.False(first[0].equal(first[1]).all().item<bool>());
    }

    [Fact]
    public void Next_OfAStep_DependsOnSeedAndCallAlone()
    {
        LayerSeed[] Calls(ulong seed, long image)
        {
            using var source = LayerSeeds.OfStep(seed, image);
            return [LayerSeeds.Next(), LayerSeeds.Next()];
        }

        var calls = Calls(1, 0);

        Assert.Equal(calls, Calls(1, 0));
        Assert.Equal(calls.Select(call => call with { FirstImage = 3 }), Calls(1, 3));
        Assert.Equal(6, calls.Concat(Calls(2, 0)).Concat(Calls(3, 0)).Distinct().Count());
    }

    [Fact]
    public void Replay_OfARecord_GivesTheSameAndNoMore()
    {
        var seeds = new List<LayerSeed>();
        using (LayerSeeds.OfStep(1, 2))
        using (LayerSeeds.Record(seeds))
        {
            Assert.Equal([LayerSeeds.Next(), LayerSeeds.Next()], seeds);
        }

        using var again = LayerSeeds.Replay(seeds);
        Assert.Equal(seeds, [LayerSeeds.Next(), LayerSeeds.Next()]);
        Assert.Contains("more often", Assert.Throws<InvalidOperationException>(() => LayerSeeds.Next()).Message, StringComparison.Ordinal);
    }
}
