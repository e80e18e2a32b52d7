using System.Numerics;
using System.Text;
using static Diffusion.Models.PickleBytes;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Plain values beside weights that PyTorch's weights-only loader takes are read, and nothing else is.</summary>
/// <remarks>pytorch/pytorch 00f730b, torch/_weights_only_unpickler.py: the list of what it takes. The bytes are those that CPython's pickle writes.</remarks>
public sealed class PlainValueTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Load_ValuesOfProtocol2_AreRead()
    {
        using var document = Read(
            ("counter", Call(Global("collections", "Counter"), [(byte)'}', (byte)'(', (byte)'K', 3, (byte)'K', 1, (byte)'K', 5, (byte)'K', 2, (byte)'u'])),
            ("none counted", Call(Global("collections", "Counter"))),
            ("set", Call(Global("__builtin__", "set"), [(byte)']', (byte)'(', (byte)'K', 1, (byte)'K', 2, (byte)'e'])),
            ("frozenset", Call(Global("__builtin__", "frozenset"), [(byte)']', (byte)'(', .. Text("a"), (byte)'e'])),
            ("bytes", Call(Global("_codecs", "encode"), Text("ab\u00FF"), Text("latin1"))),
            ("no bytes", Call(Global("__builtin__", "bytes"))),
            ("bytearray", Call(Global("__builtin__", "bytearray"), Text("\u0080"), Text("latin-1"))),
            ("complex", Call(Global("__builtin__", "complex"), Double(1.5), Double(-2))),
            ("dtype", Global("torch", "float32")),
            ("dtype that is lacking here", Global("torch", "float8_e4m3fn")),
            ("layout", Call(Global("torch.serialization", "_get_layout"), Text("torch.strided"))));

        Assert.Equal(2L, document["counter/5"]);
        Assert.Equal(Values(1L, 2L), document["set"]);
        Assert.Equal(Values("a"), document["frozenset"]);
        Assert.Equal<byte>([97, 98, 255], Assert.IsType<byte[]>(document["bytes"]));
        Assert.Empty(Assert.IsType<byte[]>(document["no bytes"]));
        Assert.Equal<byte>([0x80], Assert.IsType<byte[]>(document["bytearray"]));
        Assert.Equal(new Complex(1.5, -2), document["complex"]);
        Assert.Equal("torch.float32", document["dtype"]);
        Assert.Equal("torch.float8_e4m3fn", document["dtype that is lacking here"]);
        Assert.Equal("torch.strided", document["layout"]);
        Assert.Equal(["w"], document.Tensors.Keys);
    }

    [Fact]
    public void Load_ValuesOfLaterProtocols_AreRead()
    {
        using var document = Read(
            ("set", [0x8F, (byte)'(', (byte)'K', 1, (byte)'K', 2, 0x90]),
            ("frozenset", [(byte)'(', (byte)'K', 7, 0x91]),
            ("short", [(byte)'C', 2, 1, 2]),
            ("long", [(byte)'B', 1, 0, 0, 0, 5]),
            ("very long", [0x8E, 1, 0, 0, 0, 0, 0, 0, 0, 6]),
            ("array", [0x96, 2, 0, 0, 0, 0, 0, 0, 0, 8, 9]),
            ("copied", [.. Text("builtins"), .. Text("bytearray"), 0x93, .. Tuple([(byte)'C', 1, 3]), (byte)'R']));

        Assert.Equal(Values(1L, 2L), document["set"]);
        Assert.Equal(Values(7L), document["frozenset"]);
        Assert.Equal<byte>([1, 2], Assert.IsType<byte[]>(document["short"]));
        Assert.Equal<byte>([5], Assert.IsType<byte[]>(document["long"]));
        Assert.Equal<byte>([6], Assert.IsType<byte[]>(document["very long"]));
        Assert.Equal<byte>([8, 9], Assert.IsType<byte[]>(document["array"]));
        Assert.Equal<byte>([3], Assert.IsType<byte[]>(document["copied"]));
    }

    [Fact]
    public void Load_KeysThatAreNoText_AreWrittenAsPythonPrintsThem()
    {
        using var document = Read(("d", [(byte)'}', (byte)'(', (byte)'N', (byte)'K', 1, 0x88, (byte)'K', 2, .. Double(0.5), (byte)'K', 3, (byte)'K', 1, (byte)'K', 2, 0x86, (byte)'K', 4, (byte)'u']));
        Assert.Equal(["None", "True", "0.5", "(1, 2)"], Assert.IsAssignableFrom<IReadOnlyDictionary<string, object?>>(document["d"]).Keys);
        Assert.Equal(4L, document["d/(1, 2)"]);
    }

    [Fact]
    public void Load_TensorsThatAreRebuiltInOtherWays_AreRead()
    {
        byte[] arguments = Tuple(Storage("FloatStorage", "0", 2), Integer(0), Integers(2), Integers(1), [0x89], Call(Global("collections", "OrderedDict")));
        using var document = Read(
            ("older", Call(Global("torch._utils", "_rebuild_tensor"), Storage("FloatStorage", "0", 2), Integer(1), Integers(1), Integers(1))),
            ("with state", Call(Global("torch._utils", "_rebuild_parameter_with_state"), Weight(), [0x88], Call(Global("collections", "OrderedDict")), Dictionary(("note", Integer(1))))),
            ("of a class", Call(Global("torch._tensor", "_rebuild_from_type_v2"), Global("torch._utils", "_rebuild_tensor_v2"), Global("torch.nn.parameter", "Parameter"), arguments, Dictionary(("note", Integer(1))))));
        Assert.Equal([2f], document.Tensors["older"].data<float>().ToArray());
        Assert.Equal([1f, 2f], document.Tensors["with state"].data<float>().ToArray());
        Assert.Equal([1f, 2f], document.Tensors["of a class"].data<float>().ToArray());
    }

    [Theory]
    [InlineData("argparse", "Namespace")]
    [InlineData("numpy.core.multiarray", "scalar")]
    [InlineData("numpy", "dtype")]
    [InlineData("collections", "defaultdict")]
    [InlineData("builtins", "getattr")]
    [InlineData("__builtin__", "type")]
    [InlineData("torch", "float33")]
    [InlineData("pathlib", "PosixPath")]
    [InlineData("_codecs", "decode")]
    public void Load_EverythingElse_IsRefusedAndSaysHowToSaveTheWeightsAlone(string module, string name)
    {
        var message = Refused(Global(module, name));
        Assert.Contains($"'{module}.{name}'", message, StringComparison.Ordinal);
        Assert.Contains("torch.save(checkpoint[\"model\"], \"weights.pth\")", message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_CallsWithOtherArguments_AreRefused()
    {
        Assert.Contains("Counter with other arguments", Refused(Call(Global("collections", "Counter"), Integer(3))), StringComparison.Ordinal);
        Assert.Contains("ByteArray with other arguments", Refused(Call(Global("builtins", "bytearray"), Integer(1 << 30))), StringComparison.Ordinal);
        Assert.Contains("Bytes with other arguments", Refused(Call(Global("builtins", "bytes"), Integer(1 << 30))), StringComparison.Ordinal);
        Assert.Contains("Encode with other arguments", Refused(Call(Global("_codecs", "encode"), Text("a"), Text("zip"))), StringComparison.Ordinal);
        Assert.Contains("Latin-1", Refused(Call(Global("_codecs", "encode"), Text("€"), Text("latin1"))), StringComparison.Ordinal);
        Assert.Contains("no function", Refused(Call(Global("torch", "Tensor"))), StringComparison.Ordinal);
        Assert.Contains("belongs to no tensor", Refused(Global("torch.nn.parameter", "Parameter")), StringComparison.Ordinal);
    }

    public void Dispose() => _folder.Dispose();

    private static List<object?> Values(params object?[] values) => [.. values];

    private static byte[] Double(double value)
    {
        var bytes = BitConverter.GetBytes(value);
        Array.Reverse(bytes);
        return [(byte)'G', .. bytes];
    }

    private static byte[] Weight() => Tensor(Storage("FloatStorage", "0", 2), 0, [2], [1]);

    private PyTorchFile Read(params (string Key, byte[] Value)[] items) => PyTorchFile.Load(File([("w", Weight()), .. items]));

    private string File((string Key, byte[] Value)[] items) => _folder.Write("a.pth", Zip(Dictionary(items), ("0", [.. BitConverter.GetBytes(1f), .. BitConverter.GetBytes(2f)])));

    private string Refused(byte[] value)
    {
        var path = File([("w", Weight()), ("x", value)]);
        return Assert.Throws<InvalidDataException>(() => PyTorchFile.Load(path)).Message;
    }
}
