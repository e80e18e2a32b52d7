using System.Text;
using static Diffusion.Models.PickleBytes;
using static TorchSharp.torch;

namespace Diffusion.Models;

/// <summary>Plain values beside weights that PyTorch's weights-only loader takes are read, and nothing else is.</summary>
/// <remarks>pytorch/pytorch 00f730b, torch/_weights_only_unpickler.py: the list of what it takes. The bytes are those that CPython's pickle writes.</remarks>
public sealed class PlainValueTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    /// <summary>Saved alone they would be refused again.</summary>
    [Theory]
    [InlineData("_rebuild_tensor_v3", "uint16 or float8", "tensor.to(torch.float32)")]
    [InlineData("_rebuild_sparse_tensor", "a sparse tensor", "to_dense()")]
    [InlineData("_rebuild_qtensor", "a quantized tensor", "dequantize()")]
    public void Load_TensorOfAnotherKind_SaysWhichAndWhatHelps(string function, string kind, string help)
    {
        var message = Refused(Global("torch._utils", function));
        Assert.All([kind, help, $"torch._utils.{function}"], part => Assert.Contains(part, message, StringComparison.Ordinal));
        Assert.DoesNotContain("could run any code", message, StringComparison.Ordinal);
    }

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
        Assert.Equal(new System.Numerics.Complex(1.5, -2), document["complex"]);
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

    [Theory] // the texts that CPython 3.12 prints
    [InlineData(1e-5, "1e-05")]
    [InlineData(0.0001, "0.0001")]
    [InlineData(1.0, "1.0")]
    [InlineData(-0.0, "-0.0")]
    [InlineData(1e15, "1000000000000000.0")]
    [InlineData(1000000000000000.1, "1000000000000000.1")]
    [InlineData(1e16, "1e+16")]
    [InlineData(1.25e-7, "1.25e-07")]
    [InlineData(0.00012, "0.00012")]
    [InlineData(-9007199254740993.0, "-9007199254740992.0")]
    [InlineData(5e-324, "5e-324")]
    [InlineData(1.5e300, "1.5e+300")]
    [InlineData(123456.75, "123456.75")]
    [InlineData(double.PositiveInfinity, "inf")]
    public void Load_KeyThatIsANumber_IsWrittenAsPythonPrintsIt(double key, string expected)
    {
        using var document = Read(("d", [(byte)'}', (byte)'(', .. Double(key), (byte)'K', 1, (byte)'u']));
        Assert.Equal([expected], Assert.IsAssignableFrom<IReadOnlyDictionary<string, object?>>(document["d"]).Keys);
    }

    [Fact]
    public void Load_KeysThatHaveNoText_AreLeftOutWithTheirValues()
    {
        byte[] one = [(byte)'K', 1], bytes = [(byte)'C', 1, 7], large = [0x8A, 20, .. Enumerable.Repeat((byte)0x7F, 20)];
        byte[] five = Tuple([.. Enumerable.Repeat(one, 5)]), longText = Tuple(Text(new string('x', 33)), one);
        using var document = Read(
            ("d", [(byte)'}', (byte)'(', .. Text("a"), .. one, .. bytes, .. one, .. five, .. Dictionary(("x", Text("y"))), .. longText, .. one, .. large, .. one, .. Complex(), .. one, .. Integer(1L << 40), .. one, (byte)'u']),
            ("two", [(byte)'}', (byte)'(', (byte)'K', 1, .. Text("number"), .. Text("1"), .. Text("text"), (byte)'K', 2, .. one, (byte)'u']),
            ("reversed", [(byte)'}', (byte)'(', .. Text("1"), .. Text("text"), (byte)'K', 1, .. Text("number"), (byte)'u']),
            ("counter", Call(Global("collections", "Counter"), [(byte)'}', (byte)'(', .. bytes, .. one, .. Text("a"), .. one, (byte)'u'])),
            ("names", [(byte)'}', (byte)'(', .. Tuple(Text("a")), .. one, .. Tuple(Text("a"), one), .. one, 0x8A, 9, 0, 0, 0, 0, 0, 0, 0, 0, 1, .. one, (byte)'u']));

        Assert.Equal(["a", "1099511627776"], Keys(document, "d"));
        Assert.Equal(["1", "2"], Keys(document, "two"));
        Assert.Equal("text", document["two/1"]);
        Assert.Equal("text", document["reversed/1"]);
        Assert.Equal(["a"], Keys(document, "counter"));
        Assert.Equal(["('a',)", "('a', 1)", "18446744073709551616"], Keys(document, "names"));
        Assert.Equal(["w"], document.Tensors.Keys);
    }

    [Fact]
    public void Load_TensorsUnderAKeyThatHasNoText_AreRefusedWithItsKindInWords()
    {
        byte[] bytes = [(byte)'C', 1, 7];
        Assert.Contains("a dictionary has tensors under a key that is bytes;", Refused([(byte)'}', .. bytes, .. Weight(), (byte)'s']), StringComparison.Ordinal);
        Assert.Contains("a key that is a tuple of 5 values;", Refused([(byte)'}', .. Integers(1, 2, 3, 4, 5), .. Dictionary(("a", Weight())), (byte)'s']), StringComparison.Ordinal);
        Assert.Contains("a key that is a complex number;", Refused([(byte)'}', .. Complex(), .. Weight(), (byte)'s']), StringComparison.Ordinal);
        Assert.Contains("the keys '1', a text, and 1, a whole number;", Refused([(byte)'}', .. Text("1"), .. Weight(), (byte)'s', (byte)'K', 1, .. Weight(), (byte)'s']), StringComparison.Ordinal);
        Assert.Contains("a key that is a tensor;", Refused([(byte)'}', .. Weight(), (byte)'N', (byte)'s']), StringComparison.Ordinal);

        // A list that is filled after it was set.
        Assert.Contains("a key that is bytes;", Refused([(byte)']', (byte)'q', 1, (byte)'0', (byte)'}', .. bytes, (byte)'h', 1, (byte)'s', (byte)'h', 1, .. Weight(), (byte)'a', (byte)'0']), StringComparison.Ordinal);
        Assert.Contains("the key '1' twice", Refused([(byte)'}', (byte)'K', 1, (byte)'N', (byte)'s', (byte)'K', 1, (byte)'N', (byte)'s']), StringComparison.Ordinal);
        Assert.Contains("has a tuple of 2 values where a list is needed", Refused([.. Integers(1, 2), (byte)'N', (byte)'a']), StringComparison.Ordinal);
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

    private static byte[] Complex() => Call(Global("builtins", "complex"), Double(1), Double(2));

    private static IEnumerable<string> Keys(PyTorchFile document, string path) => Assert.IsAssignableFrom<IReadOnlyDictionary<string, object?>>(document[path]).Keys;

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
