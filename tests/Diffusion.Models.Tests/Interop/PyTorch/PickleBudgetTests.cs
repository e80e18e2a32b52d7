using System.Text;
using static Diffusion.Models.PickleBytes;

namespace Diffusion.Models;

/// <summary>Small files that would grow to gigabytes: what they copy, name and view again and again is counted, and refused before it is made.</summary>
public sealed class PickleBudgetTests : IDisposable
{
    private const int Length = 200_000;

    // Managed bytes for each byte of the file; a pickle of nothing but dictionaries takes 94.
    private const long BytesForEachByte = 128;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Load_SizesCopiedAgainAndAgain_AreRefused() =>
        Refused([.. Global("torch", "Size"), (byte)'q', 0, (byte)'(', .. Many("K\u0001"), (byte)'t', 0x85, (byte)'q', 1, .. Again([(byte)'h', 0, (byte)'h', 1, (byte)'R'])], "copies over");

    [Fact]
    public void Load_SetsCopiedAgainAndAgain_AreRefused() =>
        Refused([.. Global("builtins", "set"), (byte)'q', 0, (byte)']', (byte)'(', .. Many("K\u0001"), (byte)'e', 0x85, (byte)'q', 1, .. Again([(byte)'h', 0, (byte)'h', 1, (byte)'R'])], "copies over");

    [Fact]
    public void Load_BytesCopiedAgainAndAgain_AreRefused() => Refused(
        [.. Global("_codecs", "encode"), (byte)'q', 0, .. Text(new string('a', Length)), .. Text("latin1"), 0x86, (byte)'q', 1, .. Again([(byte)'h', 0, (byte)'h', 1, (byte)'R'])], "copies over");

    [Fact]
    public void Load_DevicesOfALongName_AreRefused() => Refused(
        [.. Global("torch", "device"), (byte)'q', 0, .. Text(new string('a', Length)), (byte)'K', 1, 0x86, (byte)'q', 1, .. Again([(byte)'h', 0, (byte)'h', 1, (byte)'R'])], "copies over");

    [Fact]
    public void Load_TensorsMadeAgainAndAgain_AreRefused() => Refused(
        [
            .. Global("torch._utils", "_rebuild_tensor"), (byte)'q', 0, .. Tuple(Storage("FloatStorage", "0", 1), Integer(0), Integers(1), Integers(1)), (byte)'q', 1,
            .. Again([(byte)'h', 0, (byte)'h', 1, (byte)'R'], 50_000),
        ], "the same ones again and again");

    [Fact]
    public void Load_OneTensorInManyPlaces_IsRefused() => Refused(
        [.. Tensor(Storage("FloatStorage", "0", 1), 0, [1], [1]), (byte)'q', 0, (byte)']', (byte)'(', .. Many("h\0"), (byte)'e'], "the same ones again and again");

    [Fact]
    public void Load_LongKeysBeforeManyTensors_AreRefused()
    {
        // Fifty dictionaries in each other under one key of 20 KB, and a few hundred tensors in the innermost: a gigabyte of names.
        byte[] tensors = [(byte)']', (byte)'(', .. Enumerable.Repeat<byte[]>([(byte)'h', 0], 500).SelectMany(item => item), (byte)'e'];
        Refused(
            [
                .. Tensor(Storage("FloatStorage", "0", 1), 0, [1], [1]), (byte)'q', 0, .. Text(new string('k', 20_000)), (byte)'q', 1,
                .. Enumerable.Repeat<byte[]>([(byte)'}', (byte)'h', 1], 50).SelectMany(item => item), .. tensors, .. Enumerable.Repeat((byte)'s', 50),
            ], "names of its tensors are far longer");
    }

    [Fact]
    public void Load_TupleOfLongTextsAsKey_IsLeftOutWithoutBeingWritten()
    {
        byte[] key = [.. Text(new string('k', 200)), (byte)'q', 0, (byte)'h', 0, (byte)'h', 0, 0x87, (byte)'q', 1];
        var file = Zip([.. key, .. Again([(byte)'}', (byte)'h', 1, (byte)'N', (byte)'s'])]);
        var path = _folder.Write("a.pth", file);
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var document = PyTorchFile.Load(path);
        Assert.Null(document.Root);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, (1 << 18) + (BytesForEachByte * file.Length));
    }

    [Fact]
    public void Open_ManyTensorsOfOneStorage_IsRefusedSinceACopyOfEachWouldBeLarge()
    {
        var storage = Storage("FloatStorage", "0", 10_000);
        (string, byte[])[] views = [.. Enumerable.Range(0, 30).Select(i => ($"w{i}", Tensor(storage, 0, [100, 100], [100, 1])))];
        var path = _folder.Write("a.pth", Zip(Dictionary(views), ("0", new byte[40_000])));
        Assert.Contains("repeats its elements", Assert.Throws<InvalidDataException>(() => WeightFiles.Open(path)).Message, StringComparison.Ordinal);
        var shared = _folder.Write("b.pth", Zip(Dictionary(views[..8]), ("0", new byte[40_000])));
        using var weights = WeightFiles.Open(shared); // tied weights are common
        Assert.Equal(8, weights.Tensors.Count);
    }

    [Fact]
    public void Open_ThousandsOfDictionariesOfTensors_NamesAFew()
    {
        // Ten thousand dictionaries, each of which could be a network's or an optimizer's.
        byte[] tensor = Tensor(Storage("FloatStorage", "0", 1), 0, [1], [1]);
        byte[] entry(int i) => [.. Text($"{i}"), (byte)'}', .. Text(i % 2 == 0 ? "w" : "optimizer"), .. i % 2 == 0 ? (byte[])[(byte)'h', 0] : [(byte)'}', .. Text("m"), (byte)'h', 0, (byte)'s'], (byte)'s'];
        var path = _folder.Write("a.pth", Zip([.. tensor, (byte)'q', 0, (byte)'0', (byte)'}', (byte)'(', .. Enumerable.Range(0, 10_000).SelectMany(entry), (byte)'u'], ("0", new byte[4])));
        using var weights = WeightFiles.Open(path);
        Assert.Equal(10_000, weights.Tensors.Count);
        Assert.Contains("several networks", Assert.Single(weights.Notes), StringComparison.Ordinal);
        Assert.InRange(weights.Notes[0].Length, 100, 5000);
    }

    public void Dispose() => _folder.Dispose();

    private static byte[] Many(string opcodes) => [.. Enumerable.Repeat(Encoding.Latin1.GetBytes(opcodes), Length / opcodes.Length).SelectMany(item => item)];

    /// <summary>A value that is made and dropped, many times.</summary>
    private static byte[] Again(byte[] value, int count = 1000) => [.. Enumerable.Repeat<byte[]>([.. value, (byte)'0'], count).SelectMany(item => item), (byte)'N'];

    private void Refused(byte[] pickle, string reason)
    {
        var file = Zip(pickle, ("0", new byte[4]));
        var path = _folder.Write("a.pth", file);
        var before = GC.GetAllocatedBytesForCurrentThread();
        var message = Assert.Throws<InvalidDataException>(() => PyTorchFile.Load(path)).Message;
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 1, (1 << 18) + (BytesForEachByte * file.Length));
        Assert.Contains(reason, message, StringComparison.Ordinal);
    }
}
