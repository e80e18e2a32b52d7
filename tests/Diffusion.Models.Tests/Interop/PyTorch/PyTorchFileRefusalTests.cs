using System.IO.Compression;
using System.Text;
using TorchSharp;
using static Diffusion.Models.PickleBytes;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Files that are damaged or hostile: every one gives <see cref="InvalidDataException"/> with the file's name and the reason.</summary>
public class PyTorchFileRefusalTests
{
    private static readonly byte[] s_fourBytes = new byte[4];

    [Theory]
    [InlineData("os", "system")]
    [InlineData("posix", "system")]
    [InlineData("builtins", "eval")]
    [InlineData("__builtin__", "exec")]
    [InlineData("torch", "load")]
    [InlineData("torch._utils", "_rebuild_tensor_v2.__globals__")]
    [InlineData("torch", "_utils._rebuild_tensor_v2")]
    [InlineData("torch.serialization", "os.system")]
    [InlineData("collections", "OrderedDict.__init__")]
    [InlineData("collections.OrderedDict", "")]
    [InlineData("Torch", "FloatStorage")]
    [InlineData("torch.nn.modules.linear", "Linear")]
    public void Load_PickleThatNamesSomethingElse_IsRefusedNamingIt(string module, string name)
    {
        string[] both = [$"module '{module}'", $"name '{name}'"];
        var command = Tuple(Text("echo"));

        // As a global and called, as bare value, as global of protocol 4, and with the words taken from the memo.
        Refused(Zip([.. Global(module, name), .. command, (byte)'R']), both);
        Refused(Zip(Dictionary(("weight", Global(module, name)))), both);
        Refused(Zip([.. Text(module), .. Text(name), 0x93, .. command, (byte)'R']), both);
        Refused(Zip([.. Text(name), (byte)'q', 1, (byte)'0', .. Text(module), (byte)'h', 1, 0x93]), both);
        Refused(Zip([(byte)'(', .. Text("echo"), .. Encoding.UTF8.GetBytes($"i{module}\n{name}\n")]), both);

        // Where a storage's type, the hooks, or the attributes of a dictionary belong.
        Refused(Zip([.. Tuple(Text("storage"), Global(module, name), Text("0"), Text("cpu"), Integer(1)), (byte)'Q']), both);
        Refused(
            Zip(Call(Global("torch._utils", "_rebuild_tensor_v2"), Storage("FloatStorage", "0", 1), Integer(0), Integers(), Integers(), [0x89], Call(Global(module, name))), ("0", s_fourBytes)),
            both);
        Refused(Zip([.. Call(Global("collections", "OrderedDict")), .. Dictionary(("_metadata", Call(Global(module, name)))), (byte)'b']), both);

        // In each pickle of the older format.
        Refused([.. Proto, .. Call(Global(module, name), Text("echo")), (byte)'.'], both);
        Refused(Legacy(Call(Global(module, name), Text("echo")), [(byte)']'], []), both);
        Refused(Legacy([(byte)'N'], Call(Global(module, name), Text("echo")), []), both);
    }

    [Theory]
    [InlineData(0x81, "NewObj")]
    [InlineData(0x92, "NewObjEx")]
    [InlineData((byte)'o', "Obj")]
    [InlineData(0x82, "Ext1")]
    [InlineData(0x83, "Ext2")]
    [InlineData(0x84, "Ext4")]
    [InlineData((byte)'P', "0x50")]
    [InlineData((byte)'V', "0x56")]
    [InlineData((byte)'g', "0x67")]
    [InlineData(0x97, "0x97")]
    [InlineData((byte)'I', "0x49")]
    [InlineData((byte)'p', "0x70")]
    [InlineData(0xFF, "0xFF")]
    public void Load_OpcodeOutsideTheList_IsRefusedNamingIt(byte opcode, string name) =>
        Refused(Zip([.. Global("collections", "OrderedDict"), (byte)')', opcode, (byte)'\n']), name);

    [Fact]
    public void Load_CallOfSomethingThatIsNoFunction_IsRefused()
    {
        Refused(Zip([.. Text("eval"), (byte)')', (byte)'R']), "no function");
        Refused(Zip([.. Global("torch", "FloatStorage"), (byte)')', (byte)'R']), "no function");
        Refused(Zip(Call(Global("torch", "Size"), Text("x"))), "Size with other arguments");
        Refused(Zip(Call(Global("collections", "OrderedDict"), Text("x"))), "OrderedDict with other arguments");
        Refused(Zip([.. Integer(1), (byte)'}', (byte)'b']), "needed");
    }

    [Fact]
    public void Load_FunctionOrStorageLeftAsAValue_IsRefused()
    {
        Refused(Zip(Global("collections", "OrderedDict")), "OrderedDict that belongs to no tensor");
        Refused(Zip(Dictionary(("a", Storage("FloatStorage", "0", 1))), ("0", s_fourBytes)), "storage that belongs to no tensor at 'a'");
        Refused(Zip(Global("torch", "FloatStorage")), "storage type");
    }

    [Theory]
    [InlineData(0, new long[] { 5 }, new long[] { 1 }, "does not lie within")]
    [InlineData(1, new long[] { 4 }, new long[] { 1 }, "does not lie within")]
    [InlineData(0, new long[] { 2, 2 }, new long[] { 3, 1 }, "does not lie within")]
    [InlineData(4, new long[] { }, new long[] { }, "does not lie within")]
    [InlineData(-1, new long[] { 2 }, new long[] { 1 }, "does not lie within")]
    [InlineData(5, new long[] { 0 }, new long[] { 1 }, "does not lie within")]
    [InlineData(long.MaxValue, new long[] { 2 }, new long[] { 1 }, "too large")]
    [InlineData(0, new long[] { long.MaxValue, long.MaxValue }, new long[] { 0, 0 }, "too large")]
    [InlineData(0, new long[] { 1L << 32, 1L << 32, 0 }, new long[] { 0, 0, 0 }, "too large")]
    [InlineData(0, new long[] { long.MaxValue }, new long[] { long.MaxValue }, "too large")]
    [InlineData(0, new long[] { -1 }, new long[] { 1 }, "size or stride is -1")]
    [InlineData(3, new long[] { 2 }, new long[] { -1 }, "size or stride is -1")]
    [InlineData(0, new long[] { 2 }, new long[] { }, "1 sizes and 0 strides")]
    public void Load_ViewOutsideItsStorage_IsRefused(long offset, long[] size, long[] stride, string reason) =>
        Refused(Zip(Tensor(Storage("ByteStorage", "0", 4), offset, size, stride), ("0", s_fourBytes)), reason);

    [Fact]
    public void Load_StorageThatIsNotWhatThePickleSays_IsRefused()
    {
        var tensor = Tensor(Storage("FloatStorage", "0", 2), 0, [2], [1]);
        Refused(Zip(tensor), "no record 'data/0'");
        Refused(Zip(tensor, ("0", new byte[7])), "7 bytes and should have 8");
        Refused(Zip(tensor, ("0", new byte[9])), "9 bytes and should have 8");
        Refused(Zip(Tensor(Storage("FloatStorage", "0", -1), 0, [0], [1]), ("0", [])), "-1 elements");
        Refused(Zip(Tensor(Storage("DoubleStorage", "0", long.MaxValue), 0, [0], [1]), ("0", [])), "9223372036854775807 elements");
        Refused(Zip(Tensor(Storage("FloatStorage", "../data.pkl", 2), 0, [2], [1])), "no record 'data/../data.pkl'");
        Refused(Zip(Tensor(Storage("BoolStorage", "0", 4), 0, [4], [1]), ("0", [0, 1, 2, 1])), "neither 0 nor 1");
        Refused(
            Zip([.. tensor, .. Tensor(Storage("IntStorage", "0", 2), 0, [2], [1]), 0x86], ("0", new byte[8])), "two types or two sizes");
    }

    [Fact]
    public void Load_OlderFormatWithWrongStorages_IsRefused()
    {
        var tensor = Tensor(Storage("FloatStorage", "k", 2), 0, [2], [1]);
        byte[] keys = [(byte)']', .. Text("k"), (byte)'a'];
        byte[] data = [.. Int64(2), .. new byte[8]];
        Refused(Legacy(tensor, [(byte)']'], []), "'k' are missing");
        Refused(Legacy(tensor, [(byte)']', .. Text("other"), (byte)'a'], data), "'other' belongs to no tensor");
        Refused(Legacy(tensor, [.. keys, .. Text("k"), (byte)'a'], [.. data, .. data]), "'k' belongs to no tensor, or occurs twice");
        Refused(Legacy(tensor, keys, [.. Int64(3), .. new byte[12]]), "3 elements and should have 2");
        Refused(Legacy(tensor, keys, data[..^1]), "");
        Refused(Legacy(tensor, keys, data, littleEndian: false), "big-endian");
        Refused(Legacy(tensor, keys, data, version: 1002), "1001");
        Refused(Legacy(Tensor(Storage("FloatStorage", "k", 1L << 40), 0, [2], [1]), keys, data), "more than are left of the file");
        Refused([.. Proto, .. Integer(1), (byte)'.'], "not one of torch.save");
    }

    [Fact]
    public void Load_ArchiveThatTorchWouldNotWrite_IsRefused()
    {
        byte[] pickle = [.. Proto, (byte)'N', (byte)'.'];
        Refused(Archive([]), "");
        Refused(Archive([("readme.txt", pickle)]), "0 records data.pkl");
        Refused(Archive([("a/data.pkl", pickle), ("b/data.pkl", pickle)]), "2 records data.pkl");
        Refused(Archive([("a/data.pkl", pickle), ("a/data.pkl", pickle)]), "two records 'a/data.pkl'");
        Refused(Archive([("a/data.pkl", pickle), ("a/byteorder", "big"u8.ToArray())]), "big-endian");
        Refused(Archive([("a/data.pkl", [.. Proto, .. Text(new string('a', 1000)), (byte)'.'])], CompressionLevel.Optimal), "compressed");
        Refused("hello"u8.ToArray(), "neither like a zip archive nor like a pickle");
        Refused([], "neither like a zip archive nor like a pickle");
    }

    [Fact]
    public void Load_CompressedStorageThatWouldGrow_IsRefusedBeforeItDoes()
    {
        const int size = 50_000_000;
        using var folder = new TemporaryFolder();
        byte[] pickle = [.. Proto, .. Tensor(Storage("ByteStorage", "0", size), 0, [size], [1]), (byte)'.'];
        using (var archive = ZipFile.Open(folder.File("bomb.pth"), ZipArchiveMode.Create))
        {
            using (var stream = archive.CreateEntry("a/data.pkl", CompressionLevel.NoCompression).Open())
            {
                stream.Write(pickle);
            }

            using var zeros = archive.CreateEntry("a/data/0", CompressionLevel.Fastest).Open();
            zeros.Write(new byte[size]);
        }

        Assert.Contains("compressed", Assert.Throws<InvalidDataException>(() => PyTorchFile.Load(folder.File("bomb.pth"))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_RecordsThatOverlap_AreRefusedOnceTheyExceedTheFile()
    {
        // Ten storages of the same bytes: their entries in the directory are made to point to the first one's.
        const int size = 10_000;
        var tensors = Enumerable.Range(0, 10).Select(i => ($"t{i}", Tensor(Storage("ByteStorage", $"{i}", size), 0, [size], [1]))).ToArray();
        var file = Zip(Dictionary(tensors), [("0", new byte[size]), .. Enumerable.Range(1, 9).Select(i => ($"{i}", Array.Empty<byte>()))]);
        var first = IndexesOf(file, "PK\u0001\u0002"u8).Single(entry => file.AsSpan(entry + 46).StartsWith("file/data/0"u8));
        foreach (var entry in IndexesOf(file, "PK\u0001\u0002"u8).Where(entry => file.AsSpan(entry + 46).StartsWith("file/data/"u8)))
        {
            file.AsSpan(first + 16, 12).CopyTo(file.AsSpan(entry + 16)); // checksum and sizes
            file.AsSpan(first + 42, 4).CopyTo(file.AsSpan(entry + 42)); // position
            file.AsSpan(first + 8, 4).CopyTo(file.AsSpan(entry + 8)); // flags and method
        }

        Refused(file, "more than are left of the file");
    }

    [Fact]
    public void Load_MalformedPickle_IsRefused()
    {
        Refused(Zip([]), "takes a value where there is none");
        Refused(Zip([(byte)'0']), "takes a value where there is none");
        Refused(Zip([(byte)'N', (byte)'(', (byte)'0']), "takes a value where there is none");
        Refused(Zip([(byte)'t']), "a mark that is not there");
        Refused(Zip([(byte)'h', 3]), "recalls the value 3");
        Refused(Zip([(byte)'}', .. Text("a"), (byte)'N', (byte)'s', .. Text("a"), (byte)'N', (byte)'s']), "'a' twice");
        Refused(Zip([(byte)'}', .. Integer(7), (byte)'N', (byte)'s', .. Integer(7), (byte)'N', (byte)'s']), "'7' twice");
        Refused(Zip([(byte)'}', (byte)'}', (byte)'N', (byte)'s']), "a key of a dictionary is a dictionary");
        Refused(Zip([(byte)'}', (byte)'(', (byte)'N', (byte)'u']), "key without a value");
        Refused(Zip([(byte)'N', (byte)'N', (byte)'a']), "is needed");
        Refused(Zip([(byte)'X', 0xFF, 0xFF, 0xFF, 0xFF]), "4294967295 bytes, more than are left");
        Refused(Zip([0x8D, .. Int64(-1)]), "-1 bytes");
        Refused(Zip([0x8D, .. Int64(long.MaxValue)]), "more than are left");
        Refused(Zip([(byte)'U', 1, 0xFF]), "not UTF-8");
        Refused(Zip([(byte)'c', .. Enumerable.Repeat((byte)'a', 5000)]), "1024");
        Refused(Zip([0x80, 1]), "protocol 2 to 5");
        Refused(Zip([0x80, 6]), "protocol 2 to 5");
        Refused(Zip([.. Text("x"), (byte)'Q']), "not known");
        Refused(Archive([("a/data.pkl", [.. Proto, (byte)'N'])]), "ends early");
        Refused(Zip(Dictionary(("a/b", Scalar()), ("a", Dictionary(("b", Scalar()))))!, ("0", s_fourBytes)), "path 'a/b'");

        static byte[] Scalar() => Tensor(Storage("FloatStorage", "0", 1), 0, [], []);
    }

    [Fact]
    public void Load_ListThatHoldsItself_IsRefused() =>
        Refused(Zip([(byte)']', (byte)'q', 0, (byte)'h', 0, (byte)'a']), "holds itself");

    [Fact]
    public void Load_ListsNestedManyThousandDeep_IsRefused() =>
        Refused(Zip([.. Enumerable.Repeat((byte)']', 200_000), .. Enumerable.Repeat((byte)'a', 199_999)]), "nested deeper than 100");

    [Fact]
    public void Load_ListsThatHoldEachOtherExponentiallyOften_IsRefused()
    {
        // Sixty lists, each with the one before in it twice: 2⁶⁰ paths.
        var pickle = new List<byte> { (byte)']', (byte)'q', 0 };
        for (byte i = 1; i < 60; i++)
        {
            pickle.AddRange([(byte)']', (byte)'q', i, (byte)'(', (byte)'h', (byte)(i - 1), (byte)'h', (byte)(i - 1), (byte)'e']);
        }

        Refused(Zip([.. pickle]), "hold each other too many times");
    }

    [Fact]
    public void Load_MillionsOfObjects_IsRefused()
    {
        Refused(Zip(Enumerable.Repeat((byte)'(', 1_100_000).ToArray()), "on its stack");
        Refused(Zip(Enumerable.Repeat((byte)'N', 1_100_000).ToArray()), "on its stack");
        Refused(Zip([.. Enumerable.Repeat<byte[]>([(byte)'}', (byte)'0'], 4_000_001).SelectMany(pair => pair)]), "makes over");
        Refused(Zip([(byte)'N', .. Enumerable.Repeat((byte)0x94, 4_000_001)]), "stores over");
    }

    [Fact]
    public void Load_RefusedFile_LeavesNoTensor()
    {
        var before = LiveTensors.Settled();
        Refused(Zip([.. Tensor(Storage("FloatStorage", "0", 1), 0, [], []), .. Global("os", "system")], ("0", s_fourBytes)), "os.system");
        Assert.Equal(before, torch.Tensor.TotalCount);
    }

    [Theory]
    [InlineData("pth/flat_dict_zip", 1)]
    [InlineData("pth/legacy_nonzip", 2)]
    [InlineData("pth/nested_shared_storage", 3)]
    public void Load_DamagedFiles_AreReadOrInvalidAndNothingElse(string name, int seed)
    {
        using var golden = Golden.Case(name);
        var refused = ReadOrRefused(Mutations.Of(File.ReadAllBytes(golden.File("file.pth")), count: 150, seed));
        Assert.InRange(refused, 50, 150);
    }

    [Fact]
    public void Load_DamagedPicklesInWholeArchives_AreReadOrInvalidAndNothingElse()
    {
        byte[] pickle =
        [
            .. Proto,
            .. Dictionary(
                ("a", Tensor(Storage("FloatStorage", "0", 6), 1, [2, 2], [2, 1])),
                ("b", Call(Global("torch._utils", "_rebuild_parameter"), Tensor(Storage("HalfStorage", "1", 4), 0, [4], [1]), [0x88], [(byte)'N'])),
                ("c", [(byte)']', (byte)'q', 0, (byte)'(', (byte)'N', 0x88, .. Integer(-3), (byte)'G', .. Int64(63), (byte)'e']),
                ("d", Call(Global("torch", "Size"), Integers(1, 2)))),
            (byte)'.',
        ];
        var files = Mutations.Of(pickle, count: 300, seed: 4)
            .Select(damaged => Archive([("a/data.pkl", damaged), ("a/data/0", new byte[24]), ("a/data/1", new byte[8])]));
        Assert.InRange(ReadOrRefused(files), 150, 300);
    }

    private static int ReadOrRefused(IEnumerable<byte[]> files)
    {
        using var folder = new TemporaryFolder();
        var before = LiveTensors.Settled();
        var refused = 0;
        foreach (var file in files)
        {
            try
            {
                using var loaded = PyTorchFile.LoadStateDict(folder.Write("damaged", file));
                foreach (var tensor in loaded.Values.Where(tensor => tensor.numel() < 1000))
                {
                    using var sum = tensor.cpu().sum(); // All of it can be read.
                }
            }
            catch (InvalidDataException exception)
            {
                Assert.Contains("damaged", exception.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        GC.KeepAlive(files);
        Assert.True(torch.Tensor.TotalCount <= before + 1000);
        return refused;
    }

    private static List<int> IndexesOf(byte[] bytes, ReadOnlySpan<byte> pattern)
    {
        var indexes = new List<int>();
        for (var i = 0; i + pattern.Length <= bytes.Length; i++)
        {
            if (bytes.AsSpan(i).StartsWith(pattern))
            {
                indexes.Add(i);
            }
        }

        return indexes;
    }

    private static void Refused(byte[] file, params string[] reasons)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("bad.pth", file);
        var exception = Assert.Throws<InvalidDataException>(() => PyTorchFile.Load(path));
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
        Assert.All(reasons, reason => Assert.True(exception.Message.Contains(reason, StringComparison.Ordinal), $"no '{reason}' in: {exception.Message}"));
        File.Delete(path); // It is not held open.
    }
}
