using System.Buffers.Binary;
using System.Numerics;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models;

public class PyTorchFileTests
{
    // Written by CPython 3.11's pickle with stand-ins for torch's classes: a state dictionary of a parameter and a transposed view of the same
    // storage (float32, key '0', 6 elements) with its _metadata, a torch.Size, a torch.device, integer keys, numbers of all sizes, text, lists and tuples.
    private const string Protocol2 =
        "gAJ9cQAoWAUAAABtb2RlbHEBY2NvbGxlY3Rpb25zCk9yZGVyZWREaWN0CnECKVJxAyhYAQAAAHdxBGN0b3JjaC5fdXRpbHMKX3JlYnVpbGRfcGFyYW1ldGVyCnEFY3RvcmNoLl91dGls"
        + "cwpfcmVidWlsZF90ZW5zb3JfdjIKcQYoKFgHAAAAc3RvcmFnZXEHY3RvcmNoCkZsb2F0U3RvcmFnZQpxCFgBAAAAMHEJWAMAAABjcHVxCksGdHELUUsASwJLA4ZxDEsDSwGGcQ2JaAIp"
        + "UnEOdHEPUnEQiGgCKVJxEYdxElJxE1gCAAAAd3RxFGgGKChoB2gIaAloCksGdHEVUUsASwNLAoZxFksBSwOGcReJaAIpUnEYdHEZUnEadX1xG1gJAAAAX21ldGFkYXRhcRxoAilScR1Y"
        + "AAAAAHEefXEfWAcAAAB2ZXJzaW9ucSBLAXNzc2JYBAAAAHNpemVxIWN0b3JjaApTaXplCnEiSwJLA4ZxI4VxJFJxJVgGAAAAZGV2aWNlcSZjdG9yY2gKZGV2aWNlCnEnWAQAAABjdWRh"
        + "cShLAYZxKVJxKlgFAAAAc3RhdGVxK31xLChLAH1xLVgEAAAAc3RlcHEuSwVzSwFOdVgFAAAAYmV0YXNxL0c/7MzMzMzMzUc/7/fO2RaHK4ZxMFgFAAAAZmxhZ3NxMV1xMiiIiU4pZVgE"
        + "AAAAaW50c3EzXXE0KEsAS/9N//9K/////4oFAAAAgACKBgAAAAAA/4oI/////////3+KCQAAAAAAAAAAQGVYBAAAAHRleHRxNVgGAAAAw6nDqcOpcTZYBgAAAHR1cGxlNHE3KEsBSwJL"
        + "A0sEdHE4WAkAAABsb25nIGxpc3RxOV1xOihLAEsBSwJLA0sEZXUu";

    private const string Protocol4 =
        "gASVGQIAAAAAAAB9lCiMBW1vZGVslIwLY29sbGVjdGlvbnOUjAtPcmRlcmVkRGljdJSTlClSlCiMAXeUjAx0b3JjaC5fdXRpbHOUjBJfcmVidWlsZF9wYXJhbWV0ZXKUk5RoB4wSX3Jl"
        + "YnVpbGRfdGVuc29yX3YylJOUKCiMB3N0b3JhZ2WUjAV0b3JjaJSMDEZsb2F0U3RvcmFnZZSTlIwBMJSMA2NwdZRLBnSUUUsASwJLA4aUSwNLAYaUiWgEKVKUdJRSlIhoBClSlIeUUpSM"
        + "And0lGgLKChoDGgPaBBoEUsGdJRRSwBLA0sChpRLAUsDhpSJaAQpUpR0lFKUdX2UjAlfbWV0YWRhdGGUaAQpUpSMAJR9lIwHdmVyc2lvbpRLAXNzc2KMBHNpemWUaA2MBFNpemWUk5RL"
        + "AksDhpSFlFKUjAZkZXZpY2WUaA1oLpOUjARjdWRhlEsBhpRSlIwFc3RhdGWUfZQoSwB9lIwEc3RlcJRLBXNLAU51jAViZXRhc5RHP+zMzMzMzM1HP+/3ztkWhyuGlIwFZmxhZ3OUXZQo"
        + "iIlOKWWMBGludHOUXZQoSwBL/03//0r/////igUAAACAAIoGAAAAAAD/igj/////////f4oJAAAAAAAAAABAZYwEdGV4dJSMBsOpw6nDqZSMBnR1cGxlNJQoSwFLAksDSwR0lIwJbG9u"
        + "ZyBsaXN0lF2UKEsASwFLAksDSwRldS4=";

    public static TheoryData<string, ScalarType> StorageTypes => new()
    {
        { "BoolStorage", ScalarType.Bool }, { "ByteStorage", ScalarType.Byte }, { "CharStorage", ScalarType.Int8 }, { "ShortStorage", ScalarType.Int16 },
        { "IntStorage", ScalarType.Int32 }, { "LongStorage", ScalarType.Int64 }, { "HalfStorage", ScalarType.Float16 }, { "BFloat16Storage", ScalarType.BFloat16 },
        { "FloatStorage", ScalarType.Float32 }, { "DoubleStorage", ScalarType.Float64 }, { "ComplexFloatStorage", ScalarType.ComplexFloat32 },
        { "ComplexDoubleStorage", ScalarType.ComplexFloat64 }, { "UntypedStorage", ScalarType.Byte },
    };

    [Theory]
    [InlineData("pth/flat_dict_zip")]
    [InlineData("pth/legacy_nonzip")]
    [InlineData("pth/nested_shared_storage")]
    public void LoadStateDict_RecordedFile_EqualsItsTensorsBitByBit(string name)
    {
        using var golden = Golden.Case(name);
        using var loaded = PyTorchFile.LoadStateDict(golden.File("file.pth"));
        TensorAssert.Identical(golden.Tensors, loaded);
    }

    [Fact]
    public void LoadStateDict_RecordedModel_EqualsItsStateDictionary()
    {
        using var golden = Golden.Case("explainingai/unet_L1");
        using var loaded = PyTorchFile.LoadStateDict(golden.File("model.pth"));
        TensorAssert.Identical(golden.WithPrefix("sd."), loaded);
        Assert.All(loaded.Values, tensor => Assert.False(tensor.requires_grad));
    }

    [Fact]
    public void Load_RecordedNestedFile_HasItsPlainValuesAndSharesStorage()
    {
        using var golden = Golden.Case("pth/nested_shared_storage");
        using var document = PyTorchFile.Load(golden.File("file.pth"));

        Assert.Equal(7L, document["epoch"]);
        Assert.Equal(1e-4, document["lr"]);
        Assert.Equal("run", document["name"]);
        Assert.Same(document.Tensors["list/1"], document["list/1"]);
        Assert.Equal(["epoch", "lr", "name", "model", "ema", "list"], Assert.IsAssignableFrom<IReadOnlyDictionary<string, object?>>(document.Root).Keys);
        document.Tensors["model/a.weight"].fill_(3);
        Assert.Equal(3, document.Tensors["model/a.slice"].min().ToSingle());
        TensorAssert.Identical(golden["ema/a.weight"], document.Tensors["ema/a.weight"], "of another storage");
    }

    [Theory]
    [InlineData(Protocol2, 2)]
    [InlineData(Protocol2, 3)]
    [InlineData(Protocol4, 4)]
    [InlineData(Protocol4, 5)]
    public void Load_EveryProtocol_GivesWhatPythonSaved(string base64, byte protocol)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var pickle = Convert.FromBase64String(base64);
        pickle[1] = protocol;
        var numbers = arange(6, ScalarType.Float32);
        var path = folder.Write("a.pt", PickleBytes.Archive([("archive/data.pkl", pickle), ("archive/byteorder", "little"u8.ToArray()), ("archive/data/0", numbers.bytes.ToArray())]));

        using var document = PyTorchFile.Load(path);

        Assert.Equal(["model/w", "model/wt"], document.Tensors.Keys);
        TensorAssert.Identical(numbers.reshape(2, 3), document.Tensors["model/w"], "parameter");
        TensorAssert.Identical(numbers.reshape(2, 3).t(), document.Tensors["model/wt"], "view");
        Assert.Equal(["w", "wt"], Assert.IsAssignableFrom<IReadOnlyDictionary<string, object?>>(document["model"]).Keys);
        Assert.Equal(Values(2L, 3L), document["size"]);
        Assert.Equal("cuda:1", document["device"]);
        Assert.Equal(5L, document["state/0/step"]);
        Assert.Null(document["state/1"]);
        Assert.Equal(Values(0.9, 0.999), document["betas"]);
        Assert.Equal(Values(true, false, null, Values()), document["flags"]);
        Assert.Equal(Values(0L, 255L, 65535L, -1L, 1L << 31, -(1L << 40), long.MaxValue, BigInteger.One << 70), document["ints"]);
        Assert.Equal("ééé", document["text"]);
        Assert.Equal(Values(1L, 2L, 3L, 4L), document["tuple4"]);
        Assert.Equal(3L, document["long list/3"]);
        Assert.Contains("'5'", Assert.Throws<KeyNotFoundException>(() => document["long list/5"]).Message, StringComparison.Ordinal);
        Assert.Throws<KeyNotFoundException>(() => document["text/0"]);
    }

    [Theory]
    [MemberData(nameof(StorageTypes))]
    public void Load_EveryStorageType_InBothFormats_GivesTheTensor(string storageType, ScalarType type)
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var expected = arange(8, ScalarType.Float32).to(type);
        var bytes = expected.bytes.ToArray();
        var pickle = PickleBytes.Tensor(PickleBytes.Storage(storageType, "k", 8), 1, [2, 3], [1, 2]);
        var zip = folder.Write("a.pth", PickleBytes.Zip(pickle, ("k", bytes)));
        var legacy = folder.Write("b.pth", PickleBytes.Legacy(pickle, [(byte)']', .. PickleBytes.Text("k"), (byte)'a'], [.. PickleBytes.Int64(8), .. bytes]));

        foreach (var path in new[] { zip, legacy })
        {
            using var document = PyTorchFile.Load(path);
            var tensor = Assert.IsType<Tensor>(document.Root);
            TensorAssert.Identical(expected.as_strided([2, 3], [1, 2], 1), tensor, storageType);
            Assert.Same(tensor, document.Tensors[""]);
        }
    }

    [Fact]
    public void Load_TextOfPython2_IsRead()
    {
        using var folder = new TemporaryFolder();
        var path = folder.Write("a.pth", PickleBytes.Zip([(byte)'}', (byte)'U', 1, (byte)'a', (byte)'T', 2, 0, 0, 0, (byte)'b', (byte)'c', (byte)'s']));
        using var document = PyTorchFile.Load(path);
        Assert.Equal("bc", document["a"]);
    }

    [Fact]
    public void Load_WithinADisposeScope_GivesTensorsThatOutliveIt()
    {
        using var golden = Golden.Case("pth/nested_shared_storage");
        TensorDictionary loaded;
        var before = LiveTensors.Settled();
        using (NewDisposeScope())
        {
            loaded = PyTorchFile.LoadStateDict(golden.File("file.pth"));
        }

        TensorAssert.Identical(golden.Tensors, loaded);
        Assert.Equal(before + loaded.Count, Tensor.TotalCount);
        loaded.Dispose();
        Assert.Equal(before, Tensor.TotalCount);
    }

    [Fact]
    public void Load_LargeTensorCountedExactly_ReadsOnlyItsBytes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var numbers = arange(1 << 20);
        var path = folder.Write("a.pth", PickleBytes.Zip(
            PickleBytes.Tensor(PickleBytes.Storage("LongStorage", "0", 1 << 20), 0, [1 << 20], [1]), ("0", numbers.bytes.ToArray())));
        using var loaded = PyTorchFile.LoadStateDict(path);
        Assert.Equal((1 << 20) - 1, BinaryPrimitives.ReadInt64LittleEndian(loaded[""].bytes[^8..]));
    }

    [Fact]
    public void Load_NoSuchFile_SaysSo() => Assert.Throws<FileNotFoundException>(() => PyTorchFile.Load("no such file.pth"));

    private static object?[] Values(params object?[] values) => values;
}
