using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Imaging.Tests;

public sealed class MnistTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("train-images-idx3-ubyte", "train-labels-idx1-ubyte", Split.Train, false)]
    [InlineData("train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz", Split.Train, true)]
    [InlineData("train-images.idx3-ubyte", "train-labels.idx1-ubyte", Split.Train, false)]
    [InlineData("t10k-images.idx3-ubyte.gz", "t10k-labels-idx1-ubyte", Split.Test, true)]
    public void Open_EverySpelling_ReadsImagesAndLabels(string images, string labels, Split split, bool gzip)
    {
        _folder.Write(images, gzip ? IdxBytes.Gzip(IdxBytes.Images) : IdxBytes.Images);
        _folder.Write(labels, labels.EndsWith(".gz", StringComparison.Ordinal) ? IdxBytes.Gzip(IdxBytes.Labels) : IdxBytes.Labels);
        using var mnist = Mnist.Open(_folder.Path, split);
        Assert.Equal((12, new ImageShape(1, 3, 2), 10), (mnist.Count, mnist.Shape, mnist.Classes));
        using var batch = mnist.Read([11, 0, 3, 3]);
        Assert.Equal([4, 1, 3, 2], batch.Images.shape);
        Assert.Equal((ScalarType.Float32, ScalarType.Int64), (batch.Images.dtype, batch.Labels!.dtype));
        Assert.Equal([1L, 0, 3, 3], batch.Labels.data<long>().ToArray());
        var expected = new[] { 11, 0, 3, 3 }.SelectMany(i => Enumerable.Range(0, 6).Select(j => (((20 * i) + j) / 127.5f) - 1));
        Assert.Equal(expected, batch.Images.data<float>().ToArray());
    }

    [Fact]
    public void Exists_SplitWithoutFiles_IsFalse()
    {
        Assert.False(Mnist.Exists(_folder.Path, Split.Train));
        Assert.False(Mnist.Exists(_folder.File("absent"), Split.Train));
        Write(IdxBytes.Images, IdxBytes.Labels);
        Assert.Equal((true, false), (Mnist.Exists(_folder.Path, Split.Train), Mnist.Exists(_folder.Path, Split.Test)));
    }

    [Fact]
    public void Labels_OfAll_AreThoseThatReadGives()
    {
        Write(IdxBytes.Images, IdxBytes.Labels);
        using var mnist = Mnist.Open(_folder.Path, Split.Train, limit: 11);
        using var batch = mnist.Read([.. Enumerable.Range(0, 11)]);
        Assert.Equal(batch.Labels!.data<long>().ToArray(), mnist.Labels);
    }

    [Fact]
    public void Read_BlackAndWhite_AreExactlyMinusOneAndOne()
    {
        Write(IdxBytes.Of([0, 255], 1, 1, 2), IdxBytes.Of([9], 1));
        using var mnist = Mnist.Open(_folder.Path, Split.Train);
        using var batch = mnist.Read([0]);
        Assert.Equal([-1f, 1f], batch.Images.data<float>().ToArray());
    }

    [Theory]
    [InlineData(5, 5)]
    [InlineData(12, 12)]
    [InlineData(1000, 12)]
    public void Open_Limit_KeepsTheFirst(int limit, int expected)
    {
        Write(IdxBytes.Images, IdxBytes.Labels);
        using var mnist = Mnist.Open(_folder.Path, Split.Train, limit);
        Assert.Equal(expected, mnist.Count);
        using var batch = mnist.Read([expected - 1]);
        Assert.Equal((expected - 1) % 10, batch.Labels!.item<long>());
        Assert.Throws<ArgumentOutOfRangeException>(() => mnist.Read([expected]));
        Assert.Throws<ArgumentOutOfRangeException>(() => Mnist.Open(_folder.Path, Split.Train, 0));
    }

    public static TheoryData<string, byte[], byte[], string[]> Malformed => new()
    {
        { "magic", [1, 2, 3, 4], IdxBytes.Labels, ["train-images-idx3-ubyte", "01020304"] },
        { "images cut", IdxBytes.Images[..^1], IdxBytes.Labels, ["train-images-idx3-ubyte", "12×3×2 = 72 bytes", "holds 71"] },
        { "gzip cut", IdxBytes.Gzip(IdxBytes.Images)[..^9], IdxBytes.Labels, ["train-images-idx3-ubyte", "gzip"] },
        { "labels cut", IdxBytes.Images, IdxBytes.Labels[..^1], ["train-labels-idx1-ubyte", "12 = 12 bytes", "holds 11"] },
        { "counts", IdxBytes.Images, IdxBytes.Of([1, 2], 2), ["train-images-idx3-ubyte", "12 images", "train-labels-idx1-ubyte", "2 labels"] },
        { "label", IdxBytes.Of(new byte[3], 3, 1, 1), IdxBytes.Of([0, 9, 10], 3), ["train-labels-idx1-ubyte", "label 2 is 10", "[0, 10)"] },
        { "no images", IdxBytes.Of([], 0, 28, 28), IdxBytes.Of([], 0), ["train-images-idx3-ubyte", "0×28×28", "at least one image"] },
        { "empty file", [], IdxBytes.Labels, ["train-images-idx3-ubyte", "is empty"] },
        { "labels as images", IdxBytes.Labels, IdxBytes.Labels, ["train-images-idx3-ubyte", "has 1 dimension", "have 3"] },
        { "images as labels", IdxBytes.Images, IdxBytes.Images, ["train-labels-idx1-ubyte", "has 3 dimension", "have 1"] },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Open_Malformed_NamesFileAndFinding(string name, byte[] images, byte[] labels, string[] expected)
    {
        Write(images, labels);
        var error = Assert.Throws<InvalidDataException>(() => Mnist.Open(_folder.Path, Split.Train));
        Assert.All(expected, part => Assert.Contains(part, $"{name}: {error.Message}"));
    }

    [Fact]
    public void Open_FileMissing_SaysWhichNamesAreLookedFor()
    {
        _folder.Write("train-images-idx3-ubyte", IdxBytes.Images);
        var error = Assert.Throws<FileNotFoundException>(() => Mnist.Open(_folder.Path, Split.Train));
        Assert.Contains("train-labels-idx1-ubyte", error.Message);
        Assert.Contains(_folder.Path, error.Message);
        Assert.Throws<DirectoryNotFoundException>(() => Mnist.Open(_folder.File("none"), Split.Train));
    }

    [Fact]
    public void Read_IndexOutside_NamesIt()
    {
        Write(IdxBytes.Images, IdxBytes.Labels);
        using var mnist = Mnist.Open(_folder.Path, Split.Train);
        Assert.Contains("holds 12", Assert.Throws<ArgumentOutOfRangeException>(() => mnist.Read([0, 12])).Message);
        Assert.Contains("holds -1", Assert.Throws<ArgumentOutOfRangeException>(() => mnist.Read([-1])).Message);
    }

    [Fact]
    public void Read_InsideADisposeScope_BatchAndSourceOutliveIt()
    {
        Write(IdxBytes.Images, IdxBytes.Labels);
        Mnist mnist;
        ImageBatch batch;
        using (NewDisposeScope())
        {
            mnist = Mnist.Open(_folder.Path, Split.Train);
            batch = mnist.Read([1, 2]);
        }

        mnist.Read([3]).Dispose();
        mnist.Dispose();
        Assert.Equal([1L, 2], batch.Labels!.data<long>().ToArray());
        Assert.Equal(12, batch.Images.data<float>().ToArray().Length);
        batch.Dispose();
        Assert.Throws<ObjectDisposedException>(() => mnist.Read([0]));
    }

    [Fact]
    public void Read_100Times_LeaksNoTensor()
    {
        Write(IdxBytes.Images, IdxBytes.Labels);
        Leaks.AssertNone(() =>
        {
            using var mnist = Mnist.Open(_folder.Path, Split.Train);
            mnist.Read([0, 1, 2]).Dispose();
        });
        using var open = Mnist.Open(_folder.Path, Split.Train);
        Leaks.AssertNone(() => open.Read([0, 1, 2]).Dispose());
    }

    private void Write(byte[] images, byte[] labels)
    {
        _folder.Write("train-images-idx3-ubyte", images);
        _folder.Write("train-labels-idx1-ubyte", labels);
    }
}
