using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

public sealed class TextureCropsTests : IDisposable
{
    private static readonly string s_photographs = Path.Combine(Golden.Folder, "..", "..", "samples", "data", "textures");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Open_PhotographsOfTheRepository_AreThreeBalancedClasses()
    {
        using var train = TextureCrops.Open(s_photographs, Split.Train);
        using var test = TextureCrops.Open(s_photographs, Split.Test);
        Assert.Equal(["brick", "grass", "gravel"], train.ClassNames);
        Assert.Equal((30_000, 3_000, 3, new ImageShape(1, 28, 28)), (train.Count, test.Count, train.Classes, train.Shape));
        Assert.Equal([10_000, 10_000, 10_000], train.Labels.GroupBy(label => label).Select(group => group.Count()));
        using var batch = test.Read([0, 1, 2, 2999]);
        Assert.Equal([4, 1, 28, 28], batch.Images.shape);
        Assert.Equal([0L, 1, 2, 2], batch.Labels!.data<long>().ToArray());
        Assert.True(batch.Images.std([1, 2, 3]).min().item<float>() > 0.05, "textures, not grey areas");
    }

    /// <summary>Top and bottom of the photograph have values of their own: an image shows which of them it saw.</summary>
    [Fact]
    public void Read_EverySplit_SeesItsPartOfThePhotographOnly()
    {
        _folder.Write("a.png", TestImages.From(101, 203, 1, (_, y, _) => (byte)(y < 152 ? 40 : 200)));
        var options = new TextureCropOptions { Size = 9, SmallestCrop = 3, LargestCrop = 51, Count = 400 };
        foreach (var (split, value) in new[] { (Split.Train, 40), (Split.Test, 200) })
        {
            using var images = TextureCrops.Open(_folder.Path, split, options);
            using var batch = images.Read([.. Enumerable.Range(0, 400)]);
            using var expected = full(batch.Images.shape, (value / 127.5f) - 1);
            TensorAssert.Identical(expected, batch.Images, split.ToString());
        }
    }

    /// <summary>Crops of the image's own size are not resized: every pixel says where it comes from.</summary>
    [Fact]
    public void Read_CropsOfAColouredMap_AreTheEightSymmetriesAtEveryPlace()
    {
        _folder.Write("map.png", TestImages.From(12, 16, 3, (x, y, c) => (byte)(c == 0 ? x : c == 1 ? y : 255)));
        var options = new TextureCropOptions { Size = 4, Channels = 3, SmallestCrop = 4, LargestCrop = 4, Count = 4000 };
        using var images = TextureCrops.Open(_folder.Path, Split.Train, options);
        using var batch = images.Read([.. Enumerable.Range(0, 4000)]);
        var symmetries = new Dictionary<string, int>();
        var places = new Dictionary<(int, int), int>();
        for (var i = 0; i < 4000; i++)
        {
            var pixels = PixelImage.FromTensor(batch.Images[i]).Pixels.ToArray();
            var at = Enumerable.Range(0, 16).Select(p => (X: (int)pixels[3 * p], Y: (int)pixels[(3 * p) + 1])).ToArray();
            var (left, top) = (at.Min(p => p.X), at.Min(p => p.Y));
            Assert.Equal(16, at.Distinct().Count());
            Assert.Equal((3, 3), (at.Max(p => p.X) - left, at.Max(p => p.Y) - top));
            places[(left, top)] = places.GetValueOrDefault((left, top)) + 1;
            var key = string.Join(' ', at.Select(p => $"{p.X - left}{p.Y - top}"));
            symmetries[key] = symmetries.GetValueOrDefault(key) + 1;
        }

        Assert.Equal(8, symmetries.Count);
        Assert.All(symmetries.Values, count => Assert.InRange(count, 390, 610)); // 500 expected, deviation 21
        Assert.Equal(9 * 9, places.Count); // 12 − 4 + 1 columns, and as many rows of the top 12
    }

    [Fact]
    public void Read_AnyBatch_GivesTheSameImageForTheSameSeedAndIndex()
    {
        using var images = TextureCrops.Open(s_photographs, Split.Train);
        using var again = TextureCrops.Open(s_photographs, Split.Train, new TextureCropOptions { Count = 10 });
        using var other = TextureCrops.Open(s_photographs, Split.Train, new TextureCropOptions { Seed = 1 });
        using var batch = images.Read([29_999, 4, 4, 7]);
        using var single = again.Read([4]);
        using var different = other.Read([4]);
        TensorAssert.Identical(batch.Images[1], single.Images[0], "another batch, another count");
        TensorAssert.Identical(batch.Images[1], batch.Images[2], "twice");
        Assert.True((single.Images - different.Images).abs().max().item<float>() > 0.1);
    }

    /// <summary>A class is asked for by its name.</summary>
    [Fact]
    public void ClassNames_TwoFilesOfOneName_HaveTheirExtensions()
    {
        foreach (var name in new[] { "brick.jpg", "brick.png", "grass.png" })
        {
            _folder.Write(name, TestImages.Noise(300, 200, 1));
        }

        using var crops = TextureCrops.Open(_folder.Path, Split.Train);
        Assert.Equal(["brick.jpg", "brick.png", "grass"], crops.ClassNames);
    }

    [Fact]
    public void Open_WhatDoesNotFit_NamesTheFile()
    {
        Assert.Throws<DirectoryNotFoundException>(() => TextureCrops.Open(_folder.File("none"), Split.Train));
        Assert.Contains("no photographs", Assert.Throws<InvalidDataException>(() => TextureCrops.Open(_folder.Path, Split.Train)).Message);
        _folder.Write("b.png", TestImages.Noise(300, 200, 1));
        TextureCrops.Open(_folder.Path, Split.Train).Dispose();
        var small = Assert.Throws<InvalidDataException>(() => TextureCrops.Open(_folder.Path, Split.Test)).Message;
        Assert.Contains("b.png: its bottom quarter has 300×50 pixels", small);
        Assert.Contains("LargestCrop, 128", small);
        var whole = TestImages.Png(TestImages.Noise(300, 200, 1));
        _folder.Write("a.png", whole[..(whole.Length / 2)]);
        Assert.Contains("a.png: truncated", Assert.Throws<InvalidDataException>(() => TextureCrops.Open(_folder.Path, Split.Train)).Message);
    }

    [Fact]
    public void Open_ImpossibleOptions_AreAllNamed()
    {
        var options = new TextureCropOptions { Size = 0, Channels = 2, SmallestCrop = 9, LargestCrop = 8, Count = 0, Codec = null! };
        var message = Assert.Throws<ArgumentException>(() => TextureCrops.Open(s_photographs, Split.Train, options)).Message;
        Assert.All(["Size: ", "Channels: ", "LargestCrop: must be at least SmallestCrop, 9; it is 8.", "Count: ", "Codec: "], part => Assert.Contains(part, message));
        Assert.Throws<ArgumentOutOfRangeException>(() => TextureCrops.Open(s_photographs, (Split)5));
    }

    [Fact]
    public void Read_100Times_LeaksNoTensorAndEndsWithDispose()
    {
        var images = TextureCrops.Open(s_photographs, Split.Test);
        Leaks.AssertNone(() => images.Read([0, 1, 2]).Dispose());
        Assert.Throws<ArgumentOutOfRangeException>(() => images.Read([3000]));
        images.Dispose();
        Assert.Throws<ObjectDisposedException>(() => images.Read([0]));
    }
}
