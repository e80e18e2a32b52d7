using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

public sealed class AugmentedImagesTests
{
    private const int Draws = 4000;

    public static TheoryData<Augmentation> All =>
        [new HorizontalFlip(), new VerticalFlip(), new QuarterTurns(), new RandomCrop(3, 2), new RandomResizedCrop(4, 3, 0.3), new CenterCrop(2, 4)];

    [Theory]
    [MemberData(nameof(All))]
    public void Read_SameSeeds_GiveTheSameImagesWhateverTheBatch(Augmentation augmentation)
    {
        using var images = new AugmentedImages(new NumberedImages(new ImageShape(3, 5, 5)), augmentation);
        int[] indices = [7, 3, 3, 900, 0];
        long[] seeds = [1, -2, 3, long.MinValue, 1L << 40];
        using var batch = images.Read(indices, seeds);
        Assert.Equal(images.Shape.Batch(5), batch.Images.shape);
        Assert.Equal([1L, 0, 0, 0, 0], batch.Labels!.data<long>().ToArray());
        for (var i = 0; i < indices.Length; i++)
        {
            using var single = images.Read([indices[i]], [seeds[i]]);
            Assert.Equal(Values(single.Images[0]), Values(batch.Images[i]));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Read_WithoutSeeds_IsPlainAndOfTheSameShape(Augmentation augmentation)
    {
        using var source = new NumberedImages(new ImageShape(1, 5, 5));
        using var images = new AugmentedImages(source, augmentation);
        using var batch = images.Read([4]);
        Assert.Equal(images.Shape.Batch(1), batch.Images.shape);
        if (augmentation is not RandomResizedCrop) // whose middle is checked where its resizing is
        {
            using var plain = source.Read([4]);
            var (top, left) = ((5 - images.Shape.Height) / 2, (5 - images.Shape.Width) / 2);
            using var middle = plain.Images.narrow(2, top, images.Shape.Height).narrow(3, left, images.Shape.Width);
            Assert.Equal(Values(middle), Values(batch.Images));
        }
    }

    [Fact]
    public void Read_SourceWithARangeAndContexts_PassesBothOn()
    {
        using var source = new Latents();
        using var images = new AugmentedImages(source, new HorizontalFlip());
        Assert.Null(((IImageSource)images).Range);
        using var plain = images.Read([0, 1]);
        using var augmented = images.Read([1, 0], [5, 6]);
        Assert.Equal([0, 1], plain.Context!.data<float>());
        Assert.Equal([1, 0], augmented.Context!.data<float>());
    }

    [Fact]
    public void Read_Flips_AreEverySecondOfEachKindIndependently()
    {
        var seen = Seen(new ImageShape(1, 2, 2), new HorizontalFlip(), new VerticalFlip());
        Assert.Equal(["0 1 2 3", "1 0 3 2", "2 3 0 1", "3 2 1 0"], seen.Keys.Order(StringComparer.Ordinal));
        Assert.All(seen.Values, count => Assert.InRange(count, 860, 1140)); // 1000 expected, deviation 27
    }

    [Fact]
    public void Read_QuarterTurns_AreTheFourAndEquallyLikely()
    {
        var seen = Seen(new ImageShape(1, 2, 2), new QuarterTurns());
        Assert.Equal(["0 1 2 3", "1 3 0 2", "2 0 3 1", "3 2 1 0"], seen.Keys.Order(StringComparer.Ordinal)); // none of them mirrored
        Assert.All(seen.Values, count => Assert.InRange(count, 860, 1140));
    }

    [Fact]
    public void Read_RandomCrop_TakesEveryPlaceEquallyOften()
    {
        var seen = Seen(new ImageShape(1, 4, 3), new RandomCrop(3, 2));
        Assert.Equal(["0 1 3 4 6 7", "1 2 4 5 7 8", "3 4 6 7 9 10", "4 5 7 8 10 11"], seen.Keys.Order(StringComparer.Ordinal));
        Assert.All(seen.Values, count => Assert.InRange(count, 860, 1140));
    }

    [Fact]
    public void Read_FlipOfAFlippedSource_IsNotTheSameFlipAgain()
    {
        using var images = new AugmentedImages(new AugmentedImages(new NumberedImages(new ImageShape(1, 1, 2)), new HorizontalFlip()), new HorizontalFlip());
        using var batch = images.Read(new int[1000], [.. Enumerable.Range(0, 1000).Select(i => (long)i)]);
        Assert.InRange(batch.Images.select(3, 0).count_nonzero().item<long>(), 420, 580); // half are mirrored in the end, not none
    }

    [Fact]
    public void Read_WrappedSource_GetsSeedsOfItsOwn()
    {
        using var source = new NumberedImages(new ImageShape(1, 2, 2));
        using var images = new AugmentedImages(source, new HorizontalFlip());
        images.Read([1, 2, 3], [5, 6, 5]).Dispose();
        Assert.Equal(source.Seeds[0], source.Seeds[2]);
        Assert.Equal(2, source.Seeds.Except([5, 6]).Count());
        Assert.Contains("2 elements", Assert.Throws<ArgumentException>(() => images.Read([1, 2, 3], [5, 6])).Message);
    }

    [Fact]
    public void Properties_OfTheWrapped_ComeThrough()
    {
        var source = new NumberedImages(new ImageShape(1, 6, 6), 12);
        using (var images = new AugmentedImages(source, new QuarterTurns(), new RandomCrop(4, 4), new HorizontalFlip()))
        {
            Assert.Equal(("numbered", 12, 3, new ImageShape(1, 4, 4)), (images.Name, images.Count, images.Classes, images.Shape));
            Assert.Equal(source.Labels, images.Labels);
        }

        Assert.True(source.Disposed);
    }

    [Fact]
    public void Construct_AugmentationThatDoesNotFit_NamesBothSizes()
    {
        using var source = new NumberedImages(new ImageShape(1, 4, 6));
        Assert.Contains("QuarterTurns needs square images; they are 1×4×6", Assert.Throws<ArgumentException>(() => new AugmentedImages(source, new QuarterTurns())).Message);
        Assert.Contains("RandomCrop of 5×6 needs images at least as large; they are 1×4×6", Assert.Throws<ArgumentException>(() => new AugmentedImages(source, new RandomCrop(5, 6))).Message);
        Assert.Throws<ArgumentOutOfRangeException>(() => new CenterCrop(0, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomResizedCrop(3, 3, 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomResizedCrop(3, 3, 0.5, 0.4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new RandomResizedCrop(3, 3, double.NaN));
    }

    [Fact]
    public void Read_AugmentationThatLies_IsFoundOut()
    {
        using var images = new AugmentedImages(new NumberedImages(new ImageShape(1, 4, 4)), new Shrinking());
        Assert.Contains("[1, 1, 1]", Assert.Throws<InvalidOperationException>(() => images.Read([0], [0])).Message);
    }

    [Fact]
    public void Read_100Times_LeaksNoTensor()
    {
        using var images = new AugmentedImages(
            new NumberedImages(new ImageShape(3, 6, 6)), new HorizontalFlip(), new QuarterTurns(), new RandomResizedCrop(5, 5), new RandomCrop(4, 4));
        Leaks.AssertNone(() => images.Read([1, 2, 3], [4, 5, 6]).Dispose());
        Leaks.AssertNone(() => images.Read([1, 2, 3]).Dispose());
    }

    /// <summary>How often each result came of one image and many seeds, written as the positions of its pixels.</summary>
    private static Dictionary<string, int> Seen(ImageShape shape, params Augmentation[] augmentations)
    {
        using var images = new AugmentedImages(new NumberedImages(shape), augmentations);
        using var batch = images.Read(new int[Draws], [.. Enumerable.Range(0, Draws).Select(i => (long)i)]);
        return Enumerable.Range(0, Draws).Select(i => string.Join(' ', Values(batch.Images[i]).Select(value => Math.Round(value * 10000))))
            .GroupBy(text => text).ToDictionary(group => group.Key, group => group.Count());
    }

    private static float[] Values(Tensor image) => image.contiguous().data<float>().ToArray();

    private sealed class Shrinking : Augmentation
    {
        public override Tensor Apply(Tensor image, SeededRandom random) => image.narrow(1, 0, 1).narrow(2, 0, 1);
    }

    /// <summary>Values of any size, each with a context of one number, its index.</summary>
    private sealed class Latents : IImageSource
    {
        public string Name => "latents";

        public int Count => 2;

        public ImageShape Shape => new(1, 2, 2);

        public int Classes => 0;

        public (double Min, double Max)? Range => null;

        public ImageBatch Read(ReadOnlySpan<int> indices) =>
            new(full([indices.Length, 1, 2, 2], 7f), context: tensor(indices.ToArray()).to(ScalarType.Float32).view(-1, 1, 1));

        public void Dispose()
        {
        }
    }
}
