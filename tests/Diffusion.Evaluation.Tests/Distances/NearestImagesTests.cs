using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Distances;

/// <summary>The nearest image of a reference set.</summary>
public class NearestImagesTests
{
    [Fact]
    public void InPixels_RandomImages_NearestOneByOne()
    {
        using var images = SampleFeatures.Images(37, 6, 1);
        using var reference = SampleFeatures.Images(90, 6, 2);
        var nearest = NearestImages.InPixels(images, reference, TestContext.Current.CancellationToken);
        using var flat = images.reshape(37, 36);
        using var flatReference = reference.reshape(90, 36);
        var (a, b) = (SampleFeatures.Rows(flat), SampleFeatures.Rows(flatReference));
        for (var i = 0; i < 37; i++)
        {
            var distances = b.Select(row => Math.Sqrt(SampleFeatures.SquaredDistance(a[i], row) / 36)).ToArray();
            Assert.Equal(distances.Min(), nearest.Distances[i], 1e-12);
            Assert.Equal(Array.IndexOf(distances, distances.Min()), nearest.Indices[i]);
            Assert.Equal(distances.Min() / distances.Order().Take(50).Average(), nearest.Ratios[i], 1e-12);
        }

        Assert.Equal((37, 90, 50), (nearest.Images, nearest.ReferenceImages, nearest.Neighbours));
        Assert.Equal(nearest.Distances.Min(), nearest.Smallest);
        Assert.Equal(nearest.Distances.Order().ElementAt(18), nearest.Median);
        Assert.Equal(0, nearest.ShareOfCopies);
    }

    /// <summary>Every second image is one of the reference with a little noise: it is found, by each of the measures.</summary>
    [Fact]
    public void InPixels_Copies_AreSeen()
    {
        using var scope = NewDisposeScope();
        var reference = SampleFeatures.Images(200, 8, 1);
        var fresh = SampleFeatures.Images(20, 8, 2);
        var copies = reference[150..170].bitwise_or(tensor((byte)3, dtype: ScalarType.Byte));
        var images = stack([fresh, copies], 1).reshape(40, 1, 8, 8);
        var heldOut = NearestImages.InPixels(SampleFeatures.Images(60, 8, 3), reference, TestContext.Current.CancellationToken);
        var nearest = NearestImages.InPixels(images, reference, TestContext.Current.CancellationToken);
        Assert.Equal(0.5, nearest.ShareOfCopies);
        Assert.Equal(Enumerable.Range(150, 20), nearest.Indices.Where((_, i) => i % 2 == 1));
        Assert.InRange(nearest.ShareBelow(heldOut.Quantile(0)), 0.5, 0.6);
        Assert.InRange(nearest.ShareNearerThan(heldOut), 0.7, 0.85);
        Assert.InRange(NearestImages.InPixels(fresh, reference, TestContext.Current.CancellationToken).ShareNearerThan(heldOut), 0.3, 0.7);
        Assert.Equal(0.5, heldOut.ShareNearerThan(heldOut));
        Assert.EndsWith("copies 50.00 % (40 images against 200)", nearest.ToString(), StringComparison.Ordinal);
    }

    /// <summary>What counts as a copy: an equal image always, a near one where not nearly all of the nearest are as near: 44 at a and 6 at 10·a are on average at 2.1·a.</summary>
    [Theory]
    [InlineData(1, 0, 1)]
    [InlineData(50, 0, 1)]
    [InlineData(1, 0.1, 1)]
    [InlineData(44, 0.1, 1)]
    [InlineData(45, 0.1, 0)]
    [InlineData(50, 0.1, 0)]
    public void ShareOfCopies_OfAnImageThatIsThereOften_IsThatOfEqualOnes(int often, double apart, double expected)
    {
        using var image = zeros([1, 2], dtype: ScalarType.Float64);
        using var copies = full([often, 2], apart, ScalarType.Float64);
        using var others = full([60, 2], 1.0, ScalarType.Float64);
        using var reference = cat([copies, others]);
        Assert.Equal(expected, NearestImages.InFeatures(image, reference, TestContext.Current.CancellationToken).ShareOfCopies);
    }

    /// <summary>Without a reference an image is not its own nearest, but a duplicate of it is.</summary>
    [Fact]
    public void InFeatures_NoReference_TheOthers()
    {
        using var features = tensor(new[] { 0.0, 10, 11, 10 }, dtype: ScalarType.Float64).reshape(4, 1);
        var nearest = NearestImages.InFeatures(features, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal([1, 3, 1, 1], nearest.Indices);
        Assert.Equal([10, 0, 1, 0], nearest.Distances);
        Assert.Equal((4, 4, 3), (nearest.Images, nearest.ReferenceImages, nearest.Neighbours));
        Assert.Equal((0, 0.5, 10), (nearest.Smallest, nearest.Median, nearest.Quantile(1)));
        Assert.Equal((0.5, 0.75, 1), (nearest.ShareBelow(1), nearest.ShareBelow(10), nearest.ShareBelow(11)));
    }

    [Fact]
    public void InPixels_AnyThreads_SameFigures()
    {
        using var images = SampleFeatures.Images(100, 6, 1);
        using var reference = SampleFeatures.Images(150, 6, 2);
        var nearest = SampleFeatures.WithThreads(() => NearestImages.InPixels(images, reference), 1, 2, 5);
        Assert.All(nearest, other => Assert.Equal((nearest[0].Indices, nearest[0].Distances, nearest[0].Ratios), (other.Indices, other.Distances, other.Ratios), EqualLists));

        static bool EqualLists(
            (IReadOnlyList<int> Indices, IReadOnlyList<double> Distances, IReadOnlyList<double> Ratios) one,
            (IReadOnlyList<int> Indices, IReadOnlyList<double> Distances, IReadOnlyList<double> Ratios) other) =>
            one.Indices.SequenceEqual(other.Indices) && one.Distances.SequenceEqual(other.Distances) && one.Ratios.SequenceEqual(other.Ratios);
    }

    /// <summary>Large images take little beside themselves, and are compared as small ones are.</summary>
    [Theory]
    [InlineData(480)]
    [InlineData(1000)]
    public void InPixels_LargeImages_TakeLittleMemory(int side)
    {
        using var small = SampleFeatures.Images(9, 6, 1);
        using var smallReference = SampleFeatures.Images(20, 6, 2);
        using Tensor images = Padded(small), reference = Padded(smallReference);
        var before = 0L;
        var allocated = 0L;
        var nearest = SampleFeatures.WithThreads(
            () =>
            {
                before = GC.GetAllocatedBytesForCurrentThread();
                var found = NearestImages.InPixels(images, reference);
                allocated = GC.GetAllocatedBytesForCurrentThread() - before;
                return found;
            },
            1)[0];
        Assert.InRange(allocated, 0, 80L << 20);
        var expected = NearestImages.InPixels(small, smallReference, TestContext.Current.CancellationToken);
        Assert.Equal(expected.Indices, nearest.Indices);
        Assert.All(expected.Distances.Zip(nearest.Distances), pair => Assert.Equal(pair.First * 6 / side, pair.Second, 1e-12));

        Tensor Padded(Tensor pixels) => nn.functional.pad(pixels, [0, side - 6, side - 6, 0]);
    }

    [Fact]
    public void InPixels_WhatCannotBe_NamesIt()
    {
        using var images = SampleFeatures.Images(3, 4, 1);
        using var wide = images.reshape(3, 1, 2, 8);
        using var floats = images.to(ScalarType.Float32);
        using var one = SampleFeatures.Images(1, 4, 1);
        Contains("must be 8-bit images, [N, C, H, W] in uint8; it is Float32", () => NearestImages.InPixels(floats, images));
        Contains("[1, 4, 4] and 'reference' of [1, 2, 8]", () => NearestImages.InPixels(images, wide));
        Contains("'images' must hold at least 2 image(s); it holds 1", () => NearestImages.InPixels(one));
        var nearest = NearestImages.InPixels(images, images, TestContext.Current.CancellationToken);
        Contains("3 reference images and the held-out ones with 1", () => nearest.ShareNearerThan(NearestImages.InPixels(images, one)));
        Contains("A share must be in [0, 1]", () => nearest.Quantile(double.NaN));

        static void Contains(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
    }
}
