using System.Buffers.Binary;

namespace Diffusion.Build.Tests;

/// <summary>The change to the real library, byte by byte.</summary>
public sealed class WeakenTests
{
    private const string Needed = "GLIBCXX_3.4.32";
    private readonly byte[] _original = File.ReadAllBytes(Properties.NativeLibrary);

    [Fact]
    public void Weaken_TorchSharpLibrary_ChangesOneFlagByte()
    {
        var image = _original.ToArray();

        Assert.Equal(1, WeakenVersionReference.Weaken(image, Needed));

        var at = Assert.Single(Differences(_original, image));
        Assert.Equal(0, _original[at]);
        Assert.Equal(2, image[at]);
        Assert.Equal(SysvHash(Needed), BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(at - 4))); // vna_hash stands before vna_flags
    }

    [Fact]
    public void Weaken_SecondTime_ChangesNothing()
    {
        var once = _original.ToArray();
        WeakenVersionReference.Weaken(once, Needed);
        var twice = once.ToArray();

        Assert.Equal(0, WeakenVersionReference.Weaken(twice, Needed));
        Assert.Equal(once, twice);
    }

    [Theory]
    [InlineData("GLIBCXX_3.4.30")] // std::__throw_bad_array_new_length and others: really called
    [InlineData("GLIBCXX_3.4")]
    [InlineData("GLIBC_2.34")]
    public void Weaken_VersionThatCodeUses_IsRefusedAndChangesNothing(string version)
    {
        var image = _original.ToArray();

        var error = Assert.Throws<InvalidDataException>(() => WeakenVersionReference.Weaken(image, version));

        Assert.Contains("uses symbols of " + version, error.Message, StringComparison.Ordinal);
        Assert.Equal(_original, image);
    }

    [Theory]
    [InlineData("GLIBCXX_9.9.99")]
    [InlineData("GLIBCXX_3.4.3")] // the beginning of a version that is there
    [InlineData("")]
    public void Weaken_VersionThatIsNotThere_SaysSo(string version)
    {
        var error = Assert.Throws<InvalidDataException>(() => WeakenVersionReference.Weaken(_original.ToArray(), version));
        Assert.Contains("no reference to", error.Message, StringComparison.Ordinal);
    }

    private static IEnumerable<int> Differences(byte[] a, byte[] b)
    {
        Assert.Equal(a.Length, b.Length);
        return Enumerable.Range(0, a.Length).Where(i => a[i] != b[i]);
    }

    private static uint SysvHash(string name)
    {
        uint hash = 0;
        foreach (var c in name)
        {
            hash = (hash << 4) + c;
            var high = hash & 0xF0000000;
            hash = (hash ^ (high >> 24)) & ~high;
        }

        return hash;
    }
}
