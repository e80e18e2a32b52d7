using System.Buffers.Binary;
using System.Text;
using static TorchSharp.torch;

namespace Diffusion;

public class SafetensorsFileTests
{
    [Fact]
    public void Read_OneTensor_GivesItAlone()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Safetensors.Save(folder.File("a"), new Dictionary<string, Tensor> { ["a"] = zeros(5), ["b"] = arange(6).reshape(2, 3) });

        using var file = SafetensorsFile.Open(folder.File("a"));

        Assert.Equal(new TensorInfo(ScalarType.Int64, [2, 3]), file.Tensors["b"]);
        Assert.Equal(6, file.Tensors["b"].Count);
        Assert.Equal("Int64 [2, 3]", file.Tensors["b"].ToString());
        TensorAssert.Identical(arange(6).reshape(2, 3), file.Read("b"), "b");
        TensorAssert.Identical(zeros(5), file.Read("a"), "a");
        Assert.Contains("'c'", Assert.Throws<KeyNotFoundException>(() => file.Read("c")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_FromManyThreads_GivesEachItsTensor()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Safetensors.Save(folder.File("a"), Enumerable.Range(0, 40).Select(i => KeyValuePair.Create($"{i}", full(1000, i, ScalarType.Int32))));
        using var file = SafetensorsFile.Open(folder.File("a"));

        Parallel.For(0, 40, i =>
        {
            using var tensor = file.Read($"{i}");
            Assert.All(tensor.data<int>().ToArray(), value => Assert.Equal(i, value));
        });
    }

    [Fact]
    public void Read_FileCutOffSinceItWasOpened_IsInvalid()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Safetensors.Save(folder.File("a"), new Dictionary<string, Tensor> { ["a"] = zeros(5000) });
        using var file = SafetensorsFile.Open(folder.File("a"));
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows cuts off no file that is open for reading");
        }

        File.WriteAllBytes(folder.File("a"), File.ReadAllBytes(folder.File("a"))[..^4]);

        Assert.Contains("'a'", Assert.Throws<InvalidDataException>(() => file.Read("a")).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Read_BehindThreeGigabytes_GivesTheTensorAndTakesNoMemoryForTheRest()
    {
        const long large = 3L << 30;
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var header = $$$"""{"large":{"dtype":"U8","shape":[{{{large}}}],"data_offsets":[0,{{{large}}}]},"last":{"dtype":"I32","shape":[2],"data_offsets":[{{{large}}},{{{large + 8}}}]}}""";
        using (var stream = File.Create(folder.File("sparse")))
        {
            stream.Write(Prefix(header.Length));
            stream.Write(Encoding.UTF8.GetBytes(header));
            stream.Seek(large, SeekOrigin.Current); // a hole, which takes no space
            stream.Write([1, 0, 0, 0, 2, 0, 0, 0]);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        using var file = SafetensorsFile.Open(folder.File("sparse"));
        TensorAssert.Identical(tensor(new[] { 1, 2 }), file.Read("last"), "last");
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void Load_LargeFile_CopiesNothingToManagedMemory()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Safetensors.Save(folder.File("a"), new Dictionary<string, Tensor> { ["a"] = zeros(4 << 20) });
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var loaded = Safetensors.Load(folder.File("a"));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void Read_AfterDispose_Throws()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Safetensors.Save(folder.File("a"), new Dictionary<string, Tensor> { ["a"] = zeros(5), ["e"] = zeros(0) });
        var file = SafetensorsFile.Open(folder.File("a"));
        file.Dispose();
        Assert.Throws<ObjectDisposedException>(() => file.Read("a"));
        Assert.Throws<ObjectDisposedException>(() => file.Read("e"));
    }

    [Fact]
    public void Open_NoSuchFile_SaysSo() => Assert.Throws<FileNotFoundException>(() => SafetensorsFile.Open("no such file.safetensors"));

    [Theory]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"a":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""", 4, "uplicate")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"\u0061":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}""", 4, "uplicate")]
    [InlineData("""{"a":{"dtype":"U8","dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2, "uplicate")]
    [InlineData("""{"a":{"dtype":"F7","shape":[2],"data_offsets":[0,2]}}""", 2, "'F7'")]
    [InlineData("""{"a":{"dtype":"F8_E4M3","shape":[2],"data_offsets":[0,2]}}""", 2, "'F8_E4M3', which TorchSharp does not have")]
    [InlineData("""{"a":{"dtype":"U64","shape":[],"data_offsets":[0,8]}}""", 8, "'U64', which TorchSharp does not have")]
    [InlineData("""{"__metadata__":{"a":"1","a":"2"}}""", 0, "uplicate")]
    [InlineData("""{"a":{"dtype":"f32","shape":[],"data_offsets":[0,4]}}""", 4, "'f32'")]
    [InlineData("""{"a":{"dtype":8,"shape":[2],"data_offsets":[0,2]}}""", 2, "no dtype")]
    [InlineData("""{"a":{"shape":[2],"data_offsets":[0,2]}}""", 2, "no dtype")]
    [InlineData("""{"a":{"dtype":"U8","data_offsets":[0,2]}}""", 2, "no shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2]}}""", 2, "no data_offsets")]
    [InlineData("""{"a":{"dtype":"U8","shape":2,"data_offsets":[0,2]}}""", 2, "no shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2],"more":1}}""", 2, "'more'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[-2],"data_offsets":[0,2]}}""", 2, "-2 in its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2.0],"data_offsets":[0,2]}}""", 2, "2.0 in its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":["2"],"data_offsets":[0,2]}}""", 2, "in its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[9223372036854775808],"data_offsets":[0,2]}}""", 2, "in its shape")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "too large")]
    [InlineData("""{"a":{"dtype":"U8","shape":[0,4294967296,4294967296],"data_offsets":[0,0]}}""", 0, "too large")]
    [InlineData("""{"a":{"dtype":"F32","shape":[4611686018427387904],"data_offsets":[0,0]}}""", 0, "too large")]
    [InlineData("""{"a":{"dtype":"U8","shape":[4611686018427387904],"data_offsets":[0,2]}}""", 2, "takes 4611686018427387904 bytes and has 2")]
    [InlineData("""{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,7]}}""", 7, "takes 8 bytes and has 7")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 1, "no range")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[2,0]}}""", 2, "no range")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[-2,0]}}""", 2, "-2 in its data_offsets")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0]}}""", 2, "no range")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,1,2]}}""", 2, "no range")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "'b' overlaps")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2, "'b' overlaps")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[3,5]}}""", 5, "1 bytes before the data of tensor 'b'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}}""", 3, "1 bytes before the data of tensor 'a'")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 3, "1 bytes at its end")]
    [InlineData("""{}""", 3, "3 bytes at its end")]
    [InlineData("""{"__metadata__":{"a":1}}""", 0, "'a' in its metadata is no string")]
    [InlineData("""{"__metadata__":"text"}""", 0, "'__metadata__' in its header is no JSON object")]
    [InlineData("""{"a":[]}""", 0, "'a' in its header is no JSON object")]
    [InlineData("""{"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}""", 2, "not valid JSON")]
    [InlineData("""{"\ud800":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}""", 2, "not valid JSON")]
    [InlineData("""{"a":{"dtype":"\udc00","shape":[2],"data_offsets":[0,2]}}""", 2, "not valid JSON")]
    [InlineData("""{} {}""", 0, "not valid JSON")]
    [InlineData("""[]""", 0, "'{'")]
    [InlineData(""" {}""", 0, "'{'")]
    [InlineData("", 0, "'{'")]
    public void Open_MalformedHeader_NamesFileAndReason(string header, int dataLength, string reason) =>
        Refused([.. Prefix(header.Length), .. Encoding.UTF8.GetBytes(header), .. new byte[dataLength]], reason);

    [Fact]
    public void Open_TooManyDimensions_IsRefused()
    {
        var header = $$$"""{"a":{"dtype":"U8","shape":[{{{string.Join(",", Enumerable.Repeat(1, 65))}}}],"data_offsets":[0,1]}}""";
        Refused([.. Prefix(header.Length), .. Encoding.UTF8.GetBytes(header), 0], "65 dimensions");
    }

    [Fact]
    public void Open_HeaderNotUtf8_IsRefused() => Refused([.. Prefix(7), .. "{\""u8, 0xFF, .. "\":{}"u8], "UTF-8");

    [Fact]
    public void Open_NestedDeeply_IsRefused()
    {
        var header = $$"""{"a":{{string.Concat(Enumerable.Repeat("[", 100_000))}}""";
        Refused([.. Prefix(header.Length), .. Encoding.UTF8.GetBytes(header)], "not valid JSON");
    }

    [Theory]
    [InlineData(0UL, 7)]
    [InlineData(3UL, 10)]
    [InlineData(ulong.MaxValue, 8)]
    [InlineData((ulong)long.MaxValue, 20)]
    [InlineData(100_000_001UL, 20)]
    public void Open_HeaderLongerThanTheFile_IsRefused(ulong headerLength, int fileLength)
    {
        var file = new byte[Math.Max(8, fileLength)];
        BinaryPrimitives.WriteUInt64LittleEndian(file, headerLength);
        Refused(file[..fileLength], "bytes");
    }

    [Fact]
    public void Open_HeaderOver100Megabytes_IsRefused()
    {
        using var folder = new TemporaryFolder();
        using (var stream = File.Create(folder.File("large")))
        {
            stream.Write(Prefix((int)SafetensorsFile.MaximumHeaderLength + 1));
            stream.SetLength(SafetensorsFile.MaximumHeaderLength + 100);
        }

        var before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Contains("100000001", Assert.Throws<InvalidDataException>(() => SafetensorsFile.Open(folder.File("large"))).Message, StringComparison.Ordinal);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1_000_000);
    }

    [Fact]
    public void Load_DamagedFiles_AreReadOrInvalidAndNothingElse()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Safetensors.Save(
            folder.File("whole"),
            new Dictionary<string, Tensor> { ["a.weight"] = ones(3, 4), ["a.bias"] = ones(4, ScalarType.BFloat16), ["n"] = arange(5), ["e"] = zeros(0, 2) },
            new Dictionary<string, string> { ["format"] = "pt" });
        var whole = File.ReadAllBytes(folder.File("whole"));
        var header = 8 + BinaryPrimitives.ReadInt32LittleEndian(whole);
        var refused = 0;

        foreach (var damaged in Mutations.Of(whole, count: 500, seed: 11, within: header))
        {
            try
            {
                using var tensors = Safetensors.Load(folder.Write("damaged", damaged));
                Assert.True(tensors.Values.Sum(tensor => tensor.numel() * tensor.element_size()) <= damaged.Length);
            }
            catch (InvalidDataException exception)
            {
                Assert.Contains("damaged", exception.Message, StringComparison.Ordinal);
                refused++;
            }
        }

        // What still loads has a changed name or text.
        Assert.InRange(refused, 400, 500);
    }

    private static byte[] Prefix(long headerLength)
    {
        var prefix = new byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(prefix, headerLength);
        return prefix;
    }

    private static void Refused(byte[] file, string reason)
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("bad.safetensors", file);
        var exception = Assert.Throws<InvalidDataException>(() => Safetensors.Load(path));
        Assert.Contains(path, exception.Message, StringComparison.Ordinal);
        Assert.Contains(reason, exception.Message, StringComparison.Ordinal);
        File.Delete(path); // It is not held open.
    }
}
