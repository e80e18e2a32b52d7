using System.Security.Cryptography;
using System.Text;

namespace Diffusion.Imaging.Tests;

/// <summary>What tells the images of a run from others: the same wherever they lie and however they are packed.</summary>
public sealed class FingerprintTests : IDisposable
{
    private static readonly ImageFolderOptions s_small = new() { Height = 4, Width = 4 };
    private readonly TemporaryFolder _folder = new();

    /// <summary>The hashes are of sha256sum: names in UTF-8, each with a zero after it, in ordinal order; sizes as little-endian 64-bit numbers.</summary>
    [Fact]
    public void Fingerprint_OfAFolder_IsTheRecordedOneOnEverySystem()
    {
        WriteFolder("one");
        using var images = ImageFolder.Open(_folder.File("one"), s_small);
        Assert.Equal(["10", "2"], images.ClassNames);
        Assert.Equal(["10/b.bmp", "10/é/a.bmp", "2/c.bmp"], images.RelativePaths);
        var contents = Contents("one/10/b.bmp", "one/10/é/a.bmp", "one/2/c.bmp");
        Assert.Equal(new Dictionary<string, string> { ["file names"] = "f0e2bc33b6c9e6da7fc94aa3", ["file sizes"] = "c973bed1eeaed75789134bf9", ["file contents"] = contents }, images.Fingerprint);
    }

    /// <summary>The names, sizes and labels stay; the pictures are others.</summary>
    [Fact]
    public void Fingerprint_ImageOfEqualSizeInPlaceOfAnother_IsAnother()
    {
        WriteFolder("one");
        var before = Of("one");
        _folder.Write("one/2/c.bmp", TestImages.Bmp(TestImages.Noise(4, 2, 3, seed: 2)));
        Assert.Equal((true, true, false), Same(before, Of("one")));
    }

    [Fact]
    public void Fingerprint_CodecThatClosesTheFile_IsTheSame()
    {
        WriteFolder("one");
        using var images = ImageFolder.Open(_folder.File("one"), s_small with { Codec = new ClosingCodec() });
        Assert.Equal(Of("one"), images.Fingerprint);
    }

    /// <summary>A link has a length of its own, that of the path to which it leads.</summary>
    [Fact]
    public void Fingerprint_LinksToFiles_IsThatOfTheFiles()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows lets only administrators and developers make links.");
        _folder.Write("photographs/a.bmp", TestImages.Bmp(TestImages.Noise(8, 32, 3)));
        Directory.CreateDirectory(_folder.File("links"));
        File.CreateSymbolicLink(_folder.File("links/a.bmp"), "../photographs/a.bmp");
        var options = new TextureCropOptions { Size = 4, SmallestCrop = 2, LargestCrop = 4, Count = 6 };
        using var photographs = TextureCrops.Open(_folder.File("photographs"), Split.Train, options);
        using var links = TextureCrops.Open(_folder.File("links"), Split.Train, options);
        Assert.Equal(photographs.Fingerprint, links.Fingerprint);
        Assert.Equal(Of("photographs"), Of("links"));
    }

    [Theory]
    [InlineData(1023)]
    [InlineData(1024)]
    [InlineData(2500)]
    public void Fingerprint_OfManyNumbers_IsOfAllOfThem(int count)
    {
        var bytes = new byte[8 * count];
        for (var i = 0; i < count; i++)
        {
            System.Buffers.Binary.BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(8 * i), (i * 7L) - 3);
        }

        Assert.Equal(Fingerprints.Of(bytes), Fingerprints.Of(Enumerable.Range(0, count).Select(i => (i * 7L) - 3)));
    }

    [Fact]
    public void Fingerprint_MovedFolder_StaysAndOthersAreOthers()
    {
        WriteFolder("one");
        WriteFolder("moved/elsewhere");
        File.SetLastWriteTimeUtc(_folder.File("moved/elsewhere/2/c.bmp"), new DateTime(2001, 2, 3, 0, 0, 0, DateTimeKind.Utc));
        var before = Of("one");
        Assert.Equal(before, Of("moved/elsewhere"));

        Directory.Move(_folder.File("one/2"), _folder.File("one/3"));
        Assert.Equal((false, true, true), Same(before, Of("one")));
        _folder.Write("moved/elsewhere/2/c.bmp", TestImages.Bmp(TestImages.Noise(4, 3, 3)));
        Assert.Equal((true, false, false), Same(before, Of("moved/elsewhere")));
    }

    [Fact]
    public void Fingerprint_OfMnist_IsOfThePixelsHoweverTheyArePacked()
    {
        _folder.Write("plain/train-images-idx3-ubyte", IdxBytes.Images);
        _folder.Write("plain/train-labels-idx1-ubyte", IdxBytes.Labels);
        _folder.Write("packed/train-images.idx3-ubyte.gz", IdxBytes.Gzip(IdxBytes.Images));
        _folder.Write("packed/train-labels.idx1-ubyte.gz", IdxBytes.Gzip(IdxBytes.Labels));
        using var plain = Mnist.Open(_folder.File("plain"), Split.Train);
        using var packed = Mnist.Open(_folder.File("packed"), Split.Train);
        using var fewer = Mnist.Open(_folder.File("plain"), Split.Train, limit: 11);
        Assert.Equal("5474f2e8a5562c61850912fc", plain.Fingerprint["pixels"]);
        Assert.Equal(plain.Fingerprint, packed.Fingerprint);
        Assert.Equal("9abfe5ed795bc2c6709d051d", fewer.Fingerprint["pixels"]);
        Assert.Equal(["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"], plain.ClassNames);
        packed.Dispose();
        Assert.Equal(plain.Fingerprint, packed.Fingerprint);
        var unread = Mnist.Open(_folder.File("plain"), Split.Train);
        unread.Dispose();
        Assert.Throws<ObjectDisposedException>(() => unread.Fingerprint);
    }

    [Fact]
    public void Fingerprint_OfTextures_IsOfTheFilesAndTheCrops()
    {
        _folder.Write("photographs/b.bmp", TestImages.Bmp(TestImages.Noise(16, 16, 3)));
        _folder.Write("photographs/a.bmp", TestImages.Bmp(TestImages.Noise(8, 32, 3)));
        var options = new TextureCropOptions { Size = 4, SmallestCrop = 2, LargestCrop = 4, Count = 6 };
        using var train = Open(Split.Train, options);
        Assert.Equal(Fingerprints.Of(["a.bmp", "b.bmp"]), train.Fingerprint["file names"]);
        Assert.Equal(Fingerprints.Of([54L + (24 * 32), 54 + (48 * 16)]), train.Fingerprint["file sizes"]);
        Assert.Equal(Contents("photographs/a.bmp", "photographs/b.bmp"), train.Fingerprint["file contents"]);
        Assert.Equal("Train 2-4 seed 0", train.Fingerprint["crops"]);
        using var larger = Open(Split.Train, options with { Size = 8, Channels = 3 });
        Assert.Equal(train.Fingerprint, larger.Fingerprint);
        using var seeded = Open(Split.Test, options with { Seed = -3, SmallestCrop = 3 });
        Assert.Equal("Test 3-4 seed -3", seeded.Fingerprint["crops"]);
        _folder.Write("photographs/a.bmp", TestImages.Bmp(TestImages.Noise(8, 32, 3, seed: 2)));
        using var replaced = Open(Split.Train, options);
        Assert.Equal((true, true, false), Same(train.Fingerprint, replaced.Fingerprint));
    }

    [Fact]
    public void ClassNamesAndFingerprint_OfAugmentedImages_AreThoseOfTheirSource()
    {
        WriteFolder("one");
        using var images = new AugmentedImages(ImageFolder.Open(_folder.File("one"), s_small), Augmentation.HorizontalFlip());
        Assert.Equal(["10", "2"], images.ClassNames);
        Assert.Equal(Of("one"), images.Fingerprint);
    }

    public void Dispose() => _folder.Dispose();

    private void WriteFolder(string name)
    {
        _folder.Write($"{name}/2/c.bmp", TestImages.Bmp(TestImages.Noise(4, 2, 3)));
        _folder.Write($"{name}/10/é/a.bmp", TestImages.Bmp(TestImages.Noise(8, 5, 3)));
        _folder.Write($"{name}/10/b.bmp", TestImages.Bmp(TestImages.Noise(8, 6, 3)));
    }

    private IReadOnlyDictionary<string, string> Of(string name)
    {
        using var images = ImageFolder.Open(_folder.File(name), s_small);
        return images.Fingerprint;
    }

    private TextureCrops Open(Split split, TextureCropOptions options) => TextureCrops.Open(_folder.File("photographs"), split, options);

    /// <summary>The SHA-256 of the first 24 digits of each file's, each with a zero after it; the first 24 digits of it.</summary>
    private string Contents(params string[] files)
    {
        var hashes = files.Select(file => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(_folder.File(file))))[..24] + "\0");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(string.Concat(hashes))))[..24];
    }

    private static (bool Names, bool Sizes, bool Contents) Same(IReadOnlyDictionary<string, string> one, IReadOnlyDictionary<string, string> other) =>
        (one["file names"] == other["file names"], one["file sizes"] == other["file sizes"], one["file contents"] == other["file contents"]);

    private sealed class ClosingCodec : IImageCodec
    {
        public IReadOnlyCollection<string> Extensions => ImageFile.DefaultCodec.Extensions;

        public PixelImage Decode(Stream stream)
        {
            using (stream)
            {
                return ImageFile.DefaultCodec.Decode(stream);
            }
        }

        public void EncodePng(Stream stream, PixelImage image) => ImageFile.DefaultCodec.EncodePng(stream, image);
    }
}
