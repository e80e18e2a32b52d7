using System.Buffers.Binary;

namespace Diffusion.Build.Tests;

/// <summary>Files that are not what they should be are refused with <see cref="InvalidDataException"/>, whatever is wrong with them.</summary>
public sealed class DamagedElfTests
{
    private const string Needed = "GLIBCXX_3.4.32";
    private static readonly byte[] Library = File.ReadAllBytes(Properties.NativeLibrary);

    public static TheoryData<string, byte[]> NotElf64LittleEndian => new()
    {
        { "empty", [] },
        { "text", "#!/bin/sh\n"u8.ToArray() },
        { "Windows library", [(byte)'M', (byte)'Z', .. new byte[200]] },
        { "only the magic number", [0x7F, (byte)'E', (byte)'L', (byte)'F'] },
        { "zeros", new byte[4096] },
    };

    [Theory]
    [MemberData(nameof(NotElf64LittleEndian))]
    public void Weaken_OtherFile_IsRefused(string what, byte[] file)
    {
        Assert.NotNull(what);
        Refused(file, "not a 64-bit little-endian ELF file");
    }

    [Theory]
    [InlineData(4, 1)] // EI_CLASS: 32 bits
    [InlineData(5, 2)] // EI_DATA: big-endian
    public void Weaken_OtherElfKind_IsRefused(int at, byte value)
    {
        var image = Library.ToArray();
        image[at] = value;
        Refused(image, "not a 64-bit little-endian ELF file");
    }

    [Theory]
    [InlineData(64)]
    [InlineData(100)]
    [InlineData(1000)]
    [InlineData(200_000)]
    [InlineData(300_000)] // after the version references, before the data
    [InlineData(2_000_000)] // after everything that is loaded
    public void Weaken_TruncatedFile_IsRefused(int length) => Refused(Library[..length], null);

    [Fact]
    public void Weaken_EveryHeaderWordReplaced_SucceedsOrIsRefused()
    {
        // The ELF header, the program headers, the dynamic section and the version references: every 4-byte word by a few hostile values.
        var refused = 0;
        var image = Library.ToArray();
        foreach (var at in Words(0, 64 + 56 * ProgramHeaders).Concat(Words(DynamicSection)).Concat(Words(0x3F8F0, 0x3F8F0 + 0x210)))
        {
            foreach (var value in new uint[] { 0, 1, 0xF, 0x10, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF })
            {
                refused += Survives(image, at, value) ? 0 : 1;
            }
        }

        Assert.True(refused > 100, $"only {refused} mutations were refused");
    }

    [Fact]
    public void Weaken_RandomMutations_SucceedsOrIsRefused()
    {
        var random = new Random(20061126);
        var image = Library.ToArray();
        var words = Words(0, 64 + 56 * ProgramHeaders).Concat(Words(DynamicSection)).Concat(Words(0x3F8F0, 0x3F8F0 + 0x210)).ToArray();
        for (var i = 0; i < 1500; i++)
        {
            var places = Enumerable.Range(0, random.Next(1, 4)).Select(_ => words[random.Next(words.Length)]).ToArray();
            var before = places.Select(p => BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(p))).ToArray();
            foreach (var place in places)
            {
                // Near values reach further into the code than wild ones.
                var value = random.Next(2) == 0 ? (uint)random.NextInt64(1L << 32) : (uint)(before[0] + random.Next(-64, 64));
                BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(place), value);
            }

            TryWeaken(image);
            for (var k = places.Length - 1; k >= 0; k--)
            {
                BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(places[k]), before[k]);
            }
        }

        Assert.True(image.AsSpan().SequenceEqual(Library), "the test did not restore the image");
    }

    private static int ProgramHeaders => BinaryPrimitives.ReadUInt16LittleEndian(Library.AsSpan(56));

    private static (int Start, int End) DynamicSection
    {
        get
        {
            var at = Enumerable.Range(0, ProgramHeaders).Select(i => 64 + 56 * i).Single(h => BinaryPrimitives.ReadUInt32LittleEndian(Library.AsSpan(h)) == 2);
            var offset = (int)BinaryPrimitives.ReadInt64LittleEndian(Library.AsSpan(at + 8));
            return (offset, offset + (int)BinaryPrimitives.ReadInt64LittleEndian(Library.AsSpan(at + 32)));
        }
    }

    private static IEnumerable<int> Words((int Start, int End) range) => Words(range.Start, range.End);

    private static IEnumerable<int> Words(int start, int end)
    {
        for (var at = start; at < end; at += 4)
        {
            yield return at;
        }
    }

    private static bool Survives(byte[] image, int at, uint value)
    {
        var before = BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(at));
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), value);
        var survived = TryWeaken(image);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(at), before);
        return survived;
    }

    /// <summary>Any other exception than InvalidDataException fails the test. The image comes back as it was.</summary>
    private static bool TryWeaken(byte[] image)
    {
        var before = image.AsSpan().ToArray();
        try
        {
            WeakenVersionReference.Weaken(image, Needed);
            before.CopyTo(image, 0);
            return true;
        }
        catch (InvalidDataException)
        {
            Assert.True(image.AsSpan().SequenceEqual(before), "a refused image was changed");
            return false;
        }
    }

    private static void Refused(byte[] image, string? message)
    {
        var error = Assert.Throws<InvalidDataException>(() => WeakenVersionReference.Weaken(image, Needed));
        Assert.Contains(message ?? string.Empty, error.Message, StringComparison.Ordinal);
    }
}
