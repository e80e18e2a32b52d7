using static TorchSharp.torch;

namespace Diffusion.Tests;

public sealed class BatchLoaderTests
{
    private const int Steps = 12;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(50)]
    public void Read_Ahead_GivesTheBitsOfReadingWhenNeeded(int prefetch)
    {
        var (direct, ahead) = (All(0), All(prefetch));
        Assert.Equal(direct, ahead);
    }

    [Fact]
    public void Read_EveryImageOfARun_HasASeedOfItsOwnWhateverTheBatchSize()
    {
        var seeds = Seeds(batchSize: 4, seed: 3);
        Assert.Equal(4 * Steps, seeds.Distinct().Count());
        Assert.Equal(seeds, Seeds(batchSize: 8, seed: 3));
        Assert.Empty(seeds.Intersect(Seeds(batchSize: 4, seed: 4)));

        static List<long> Seeds(int batchSize, long seed)
        {
            using var images = new DrawnImages();
            using var loader = new BatchLoader(images, batchSize, seed, 4 * Steps / batchSize, new LoaderOptions { Prefetch = 0 });
            for (var step = 0; step < 4 * Steps / batchSize; step++)
            {
                loader.Read(step).Dispose();
            }

            return [.. images.Seeds];
        }
    }

    [Fact]
    public void Read_AnotherStepThanTheNext_GoesOnFromThere()
    {
        var expected = All(0);
        using var images = new DrawnImages();
        using var loader = Loader(images, 2);
        int[] steps = [0, 1, 7, 8, 3, 3, 4, 11];
        Assert.Equal(steps.Select(step => expected[step]), steps.Select(step => Pixels(loader, step)));
    }

    [Fact]
    public void Read_StepsThatDoNotExist_AreRefusedAndNotReadAhead()
    {
        using var images = new DrawnImages();
        using (var loader = Loader(images, 5))
        {
            loader.Read(Steps - 1).Dispose();
            Assert.Throws<ArgumentOutOfRangeException>(() => loader.Read(Steps));
            Assert.Throws<ArgumentOutOfRangeException>(() => loader.Read(-1));
        }

        Assert.Single(images.Reads);
    }

    [Fact]
    public void Read_Once_ReadsSoManyAheadAndNoMore()
    {
        using var third = new ManualResetEventSlim();
        using var images = new DrawnImages { OnRead = number => Signal(third, number == 2) };
        using (var loader = Loader(images, 2))
        {
            loader.Read(0).Dispose();
            third.Wait();
        }

        Assert.Equal(3, images.Reads.Count); // the one that was taken, and two ahead
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Read_SourceFails_ThrowsItAtItsStepAndCanGoOn(int prefetch)
    {
        var broken = true;
        using var images = new DrawnImages { OnRead = number => Fail(broken && number == 3) };
        using var loader = Loader(images, prefetch);
        for (var step = 0; step < 3; step++)
        {
            loader.Read(step).Dispose();
        }

        Assert.Equal("b.png has gone", Assert.Throws<DirectoryNotFoundException>(() => loader.Read(3)).Message);
        broken = false;
        Assert.Equal(All(0)[3..], Enumerable.Range(3, Steps - 3).Select(step => Pixels(loader, step)));
    }

    [Fact]
    public void Dispose_BatchesReadAhead_FreesThemAndStops()
    {
        Leaks.None(() =>
        {
            using var last = new ManualResetEventSlim();
            using var images = new DrawnImages([.. Enumerable.Repeat(0L, 10)]) { OnRead = number => Signal(last, number == 4) };
            using var loader = Loader(images, 4);
            loader.Read(0).Dispose();
            last.Wait();
            loader.Dispose();
            Assert.Throws<ObjectDisposedException>(() => loader.Read(1));
        });
    }

    [Fact]
    public void Read_InADisposeScope_BatchSurvivesIt()
    {
        using var images = new DrawnImages([0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
        foreach (var prefetch in new[] { 0, 2 })
        {
            using var loader = Loader(images, prefetch);
            ImageBatch batch;
            using (NewDisposeScope())
            {
                batch = loader.Read(0);
            }

            using (batch)
            {
                Assert.Equal(4 * 16, batch.Images.sum(1).numel());
                Assert.Equal(4, batch.Labels!.numel());
            }
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void Waited_AfterTheFirstRead_IsCounted(int prefetch)
    {
        using var images = new DrawnImages();
        using var loader = Loader(images, prefetch);
        Assert.Equal(TimeSpan.Zero, loader.Waited);
        loader.Read(0).Dispose();
        Assert.True(loader.Waited > TimeSpan.Zero);
    }

    [Fact]
    public void Options_ImpossibleValues_AreAllNamed()
    {
        using var images = new DrawnImages();
        var options = new LoaderOptions { Prefetch = -1, Order = (ImageOrder)7 };
        var message = Assert.Throws<ArgumentException>(() => new BatchLoader(images, 4, 1, Steps, options)).Message;
        Assert.Contains("Prefetch: must be in [0, 1024]; it is -1.", message, StringComparison.Ordinal);
        Assert.Contains("Order: must be one of Shuffled, ClassBalanced; it is 7.", message, StringComparison.Ordinal);
        Assert.Contains("Loader.Prefetch", new TrainerOptions { Loader = options }.Validate().First().Path, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchLoader(images, 0, 1, Steps));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BatchLoader(images, 4, 1, 0));
    }

    private static BatchLoader Loader(IImageSource images, int prefetch) => new(images, batchSize: 4, seed: 3, Steps, new LoaderOptions { Prefetch = prefetch });

    private static List<string> All(int prefetch)
    {
        using var images = new DrawnImages();
        using var loader = Loader(images, prefetch);
        return [.. Enumerable.Range(0, Steps).Select(step => Pixels(loader, step))];
    }

    private static string Pixels(BatchLoader loader, int step)
    {
        using var batch = loader.Read(step);
        return Convert.ToHexString(batch.Images.bytes);
    }

    private static void Signal(ManualResetEventSlim signal, bool now)
    {
        if (now)
        {
            signal.Set();
        }
    }

    private static void Fail(bool now)
    {
        if (now)
        {
            throw new DirectoryNotFoundException("b.png has gone");
        }
    }
}
