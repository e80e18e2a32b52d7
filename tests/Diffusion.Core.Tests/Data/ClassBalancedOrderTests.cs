namespace Diffusion.Tests;

public sealed class ClassBalancedOrderTests
{
    /// <summary>90 images of class 0, none of class 1, 9 of class 2, 1 of class 3.</summary>
    private static readonly long[] s_labels = [.. Enumerable.Range(0, 100).Select(i => i % 10 > 0 ? 0L : i == 50 ? 3 : 2)];

    [Fact]
    public void Indices_ClassesOfDifferentSizes_ComeEquallyOften()
    {
        var drawn = Drawn(seed: 1, steps: 300);
        Assert.Equal([400, 400, 400], drawn.GroupBy(i => s_labels[i]).OrderBy(group => group.Key).Select(group => group.Count()));
        for (var start = 0; start < drawn.Length; start += 3)
        {
            Assert.Equal([0, 2, 3], drawn[start..(start + 3)].Select(i => s_labels[i]).Order());
        }
    }

    [Fact]
    public void Indices_ImagesOfAClass_ComeOnceBeforeOneComesAgain()
    {
        var rare = Drawn(seed: 1, steps: 300).Where(i => s_labels[i] == 2).ToArray();
        for (var epoch = 0; epoch < 40; epoch++)
        {
            Assert.Equal(9, rare[(9 * epoch)..(9 * (epoch + 1))].Distinct().Count());
        }

        Assert.NotEqual(rare[..9], rare[9..18]);
    }

    [Fact]
    public void Indices_Rounds_HaveNoFixedOrderOfClasses()
    {
        var first = Drawn(seed: 1, steps: 300).Where((_, i) => i % 3 == 0).Select(i => s_labels[i]).GroupBy(label => label).Select(group => group.Count());
        Assert.All(first, count => Assert.InRange(count, 90, 180)); // 133 expected, deviation 9
    }

    [Fact]
    public void Indices_OfAStep_DependOnSeedAndStepAlone()
    {
        var order = new ClassBalancedOrder(s_labels, 4, 1);
        var later = order.Indices(77);
        Assert.Equal(Drawn(seed: 1, steps: 78)[^4..], later);
        Assert.Equal(Drawn(seed: 1, steps: 1), order.Indices(0));
        Assert.NotEqual(Drawn(seed: 2, steps: 10), Drawn(seed: 1, steps: 10));
    }

    [Fact]
    public void Create_ImagesWithoutKnownLabels_SaysWhatIsMissing()
    {
        using var images = new DrawnImages();
        var options = new LoaderOptions { Order = ImageOrder.ClassBalanced };
        var message = Assert.Throws<InvalidOperationException>(() => new BatchLoader(images, 4, 1, 5, options)).Message;
        Assert.Contains("'drawn' does not say the labels", message, StringComparison.Ordinal);
        using var trainer = new Trainer(new TinyNetwork(), new LinearNoiseSchedule(), new TrainerOptions { Loader = options });
        Assert.Equal(message, Assert.Throws<InvalidOperationException>(() => trainer.Steps(images)).Message);

        using var fewer = new DrawnImages([0, 1], count: 3);
        Assert.Contains("2 labels for 3 images", Assert.Throws<InvalidOperationException>(() => new BatchLoader(fewer, 4, 1, 5, options)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_ClassBalanced_GivesAsManyOfEach()
    {
        using var images = new DrawnImages(s_labels, 100);
        using var loader = new BatchLoader(images, 30, 1, 5, new LoaderOptions { Order = ImageOrder.ClassBalanced });
        using var batch = loader.Read(4);
        Assert.Equal([10, 10, 10], batch.Labels!.data<long>().ToArray().GroupBy(label => label).Select(group => group.Count()));
    }

    private static int[] Drawn(long seed, int steps)
    {
        var order = new ClassBalancedOrder(s_labels, 4, seed);
        return [.. Enumerable.Range(0, steps).SelectMany(step => order.Indices(step))];
    }
}
