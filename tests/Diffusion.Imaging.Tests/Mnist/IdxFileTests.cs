namespace Diffusion.Imaging.Tests;

public sealed class IdxFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_WholeFile_GivesDimensionsAndValues(bool gzip)
    {
        var bytes = IdxBytes.Of([1, 2, 3, 4, 5, 6], 3, 2);
        var file = IdxFile.Read(_folder.Write("file", gzip ? IdxBytes.Gzip(bytes) : bytes));
        Assert.Equal([3, 2], file.Dimensions);
        Assert.Equal([1, 2, 3, 4, 5, 6], file.Values.ToArray());
    }

    [Fact]
    public void Read_NameSaysGzipButContentIsNot_ReadsContent()
        => Assert.Equal([7], IdxFile.Read(_folder.Write("file.gz", IdxBytes.Of([7], 1))).Values.ToArray());

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Read_CutAnywhere_Throws(bool gzip)
    {
        var whole = gzip ? IdxBytes.Gzip(IdxBytes.Images) : IdxBytes.Images;
        for (var length = 0; length < whole.Length; length++)
        {
            var path = _folder.Write("cut", whole[..length]);
            var error = Assert.Throws<InvalidDataException>(() => IdxFile.Read(path));
            Assert.Contains(path, error.Message);
        }
    }

    [Fact]
    public void Read_GzipWithOneByteChanged_NeverGivesOtherValues()
    {
        var (whole, refused) = (IdxBytes.Gzip(IdxBytes.Images), 0);
        for (var i = 0; i < whole.Length; i++)
        {
            var changed = (byte[])whole.Clone();
            changed[i] ^= 0x55;
            var path = _folder.Write("changed", changed);
            try
            {
                Assert.Equal(IdxBytes.Images[16..], IdxFile.Read(path).Values.ToArray()); // a byte of the gzip header that means nothing
            }
            catch (InvalidDataException e)
            {
                Assert.Contains(path, e.Message);
                refused++;
            }
        }

        Assert.True(refused > whole.Length - 10, $"{refused} of {whole.Length} changes were noticed");
    }

    public static TheoryData<string, byte[], string> Malformed => new()
    {
        { "empty", [], "is empty" },
        { "not IDX", [0x89, 0x50, 0x4e, 0x47], "89504E47" },
        { "floats", [0, 0, 0x0d, 1, 0, 0, 0, 1, 0, 0, 0, 0], "type 0x0D" },
        { "no dimensions", [0, 0, 8, 0], "0 dimensions" },
        { "header cut", [0, 0, 8, 2, 0, 0, 0, 1], "ends in the header, after 8 bytes" },
        { "too short", IdxBytes.Of([1, 2, 3], 2, 2), "2×2 = 4 bytes; the file holds 3" },
        { "too short, gzip", IdxBytes.Gzip(IdxBytes.Of([1, 2, 3], 2, 2)), "2×2 = 4 bytes; the file holds 3" },
        { "too long", IdxBytes.Of([1, 2, 3, 4, 5], 2, 2), "2×2 = 4 bytes; the file holds more" },
        { "too long, gzip", IdxBytes.Gzip(IdxBytes.Of([1, 2, 3, 4, 5], 2, 2)), "2×2 = 4 bytes; the file holds more" },
        { "absurd", IdxBytes.Of([1], int.MaxValue, int.MaxValue, int.MaxValue, int.MaxValue), "21267647892944572736998860269687930881 bytes" },
        { "absurd, gzip", IdxBytes.Gzip(IdxBytes.Of([1], 2_000_000_000)), "cannot hold so many" },
        { "product over 128 bits", IdxBytes.Of([1], 1 << 30, 1 << 30, 1 << 30, 1 << 30, 1 << 8), "bytes; the file holds 1" },
        { "dimension over 31 bits", IdxBytes.Of([1], uint.MaxValue), "4294967295" },
    };

    [Theory]
    [MemberData(nameof(Malformed))]
    public void Read_Malformed_SaysWhatWasFound(string name, byte[] content, string expected)
    {
        var path = _folder.Write(name, content);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var error = Assert.Throws<InvalidDataException>(() => IdxFile.Read(path));
        Assert.Contains(path, error.Message);
        Assert.Contains(expected, error.Message);
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 1 << 20, "what the header declares was allocated");
    }

    [Fact]
    public void Read_NoFile_NamesIt()
    {
        var path = _folder.File("none");
        Assert.Contains(path, Assert.Throws<FileNotFoundException>(() => IdxFile.Read(path)).Message);
    }
}
