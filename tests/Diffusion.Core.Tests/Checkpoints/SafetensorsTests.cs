using System.Buffers.Binary;
using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion;

public class SafetensorsTests
{
    public static TheoryData<ScalarType> Types =>
    [
        ScalarType.Bool, ScalarType.Byte, ScalarType.Int8, ScalarType.Int16, ScalarType.Int32, ScalarType.Int64,
        ScalarType.Float16, ScalarType.BFloat16, ScalarType.Float32, ScalarType.Float64, ScalarType.ComplexFloat32,
    ];

    [Theory]
    [MemberData(nameof(Types))]
    public void Load_OfEveryType_GivesWhatWasSaved(ScalarType type)
    {
        using var folder = new TemporaryFolder();
        using var tensors = new TensorDictionary(new Dictionary<string, Tensor>
        {
            ["matrix"] = arange(-3, 9, ScalarType.Float32).reshape(3, 4).to(type),
            ["scalar"] = tensor(1f).to(type),
            ["empty"] = zeros(0, 3).to(type),
        });

        Safetensors.Save(folder.File("a.safetensors"), tensors);
        using var loaded = Safetensors.Load(folder.File("a.safetensors"));

        TensorAssert.Identical(tensors, loaded);
    }

    [Fact]
    public void Save_NonContiguousTensor_WritesItsElementsInOrder()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var matrix = arange(24, ScalarType.Float32).reshape(6, 4);
        var views = new Dictionary<string, Tensor>
        {
            ["transposed"] = matrix.t(),
            ["slice"] = matrix[TensorIndex.Slice(1, 5, 2), TensorIndex.Slice(1, 3)],
            ["expanded"] = ones(1, 3).expand(5, 3),
            ["channels last"] = arange(48, ScalarType.Float32).reshape(2, 2, 3, 4).permute(0, 3, 1, 2),
        };

        Safetensors.Save(folder.File("a.safetensors"), views);
        using var loaded = Safetensors.Load(folder.File("a.safetensors"));

        TensorAssert.Identical(views, loaded);
        Assert.Equal(new long[] { 4, 6 }, loaded["transposed"].shape);
        Assert.Equal(6, loaded["transposed"][1, 0].ToSingle() + loaded["transposed"][1, 1].ToSingle());
    }

    [Fact]
    public void Save_ConjugateView_WritesTheConjugate()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var number = complex(tensor(new[] { 1f }), tensor(new[] { 2f }));

        Safetensors.Save(folder.File("a.safetensors"), new Dictionary<string, Tensor> { ["c"] = number.conj(), ["i"] = number.conj().imag });
        using var loaded = Safetensors.Load(folder.File("a.safetensors"));

        Assert.Equal(-2, loaded["c"].imag.ToSingle());
        Assert.Equal(-2, loaded["i"].ToSingle());
    }

    [Fact]
    public void Save_ParameterThatRequiresGradient_WritesIt()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        var parameter = new TorchSharp.Modules.Parameter(ones(3));

        Safetensors.Save(folder.File("a.safetensors"), new Dictionary<string, Tensor> { ["p"] = parameter });
        using var loaded = Safetensors.Load(folder.File("a.safetensors"));

        Assert.False(loaded["p"].requires_grad);
        Assert.True(parameter.requires_grad);
        TensorAssert.Identical(ones(3), loaded["p"], "parameter");
    }

    [Fact]
    public void Save_SameContentInAnotherOrder_WritesTheSameBytes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        KeyValuePair<string, Tensor>[] tensors =
        [
            new("b", ones(3)), new("a", zeros(2, 2)), new("flag", tensor(new[] { true })), new("B", ones(1, ScalarType.Int64)),
        ];
        var metadata = new Dictionary<string, string> { ["x"] = "1", ["a"] = "2" };

        Safetensors.Save(folder.File("1"), tensors, metadata);
        Safetensors.Save(folder.File("2"), tensors.Reverse(), metadata.Reverse().ToDictionary());

        Assert.Equal(File.ReadAllBytes(folder.File("1")), File.ReadAllBytes(folder.File("2")));
    }

    // The order of the types in safetensors/src/tensor.rs, by which its own writer sorts, the last first; names within a type.
    [Fact]
    public void Save_AllTypes_LieAsSafetensorsItselfWritesThem()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        ScalarType[] written =
        [
            ScalarType.Int64, ScalarType.Float64, ScalarType.ComplexFloat32, ScalarType.Float32, ScalarType.Int32, ScalarType.BFloat16, ScalarType.Float16, ScalarType.Int16,
            ScalarType.Int8, ScalarType.Byte, ScalarType.Bool,
        ];
        // Names in the other order, so that they do not give the same.
        Safetensors.Save(folder.File("f"), written.Select((type, i) => KeyValuePair.Create($"{(char)('z' - i)}", zeros(1, type))).Append(KeyValuePair.Create("a", zeros(1, ScalarType.Byte))));
        var bytes = File.ReadAllBytes(folder.File("f"));
        using var header = System.Text.Json.JsonDocument.Parse(bytes.AsMemory(8, (int)BinaryPrimitives.ReadUInt64LittleEndian(bytes)));
        var names = header.RootElement.EnumerateObject().OrderBy(entry => entry.Value.GetProperty("data_offsets")[0].GetInt64()).Select(entry => entry.Name);
        Assert.Equal(["z", "y", "x", "w", "v", "u", "t", "s", "r", "a", "q", "p"], names);
    }

    [Fact]
    public void Save_ByHand_HasTheDocumentedBytes()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        const string json = """{"__metadata__":{"by":"hand"},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"U8","shape":[],"data_offsets":[8,9]}}""";
        var header = json.PadRight((json.Length + 7) / 8 * 8);
        var length = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        byte[] expected = [.. length, .. Encoding.UTF8.GetBytes(header), 0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0, 7];

        Safetensors.Save(
            folder.File("a"),
            new Dictionary<string, Tensor> { ["a"] = tensor((byte)7, ScalarType.Byte), ["b"] = tensor(new[] { 1f, -2f }) },
            new Dictionary<string, string> { ["by"] = "hand" });

        Assert.Equal(expected, File.ReadAllBytes(folder.File("a")));
    }

    [Fact]
    public void Save_MixedTypes_AlignsEveryTensorToItsElements()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Safetensors.Save(folder.File("a"), new Dictionary<string, Tensor>
        {
            ["a"] = tensor(new[] { true, false, true }),
            ["b"] = ones(3, ScalarType.Float16),
            ["c"] = ones(3, ScalarType.Float32),
            ["d"] = ones(3, ScalarType.Float64),
        });

        var bytes = File.ReadAllBytes(folder.File("a"));
        var headerLength = BinaryPrimitives.ReadInt64LittleEndian(bytes);
        Assert.Equal(0, headerLength % 8);
        Assert.Equal("""{"d":{"dtype":"F64","shape":[3],"data_offsets":[0,24]},"c":{"dtype":"F32","shape":[3],"data_offsets":[24,36]},"b":{"dtype":"F16","shape":[3],"data_offsets":[36,42]},"a":{"dtype":"BOOL","shape":[3],"data_offsets":[42,45]}}""",
            Encoding.UTF8.GetString(bytes, 8, (int)headerLength).TrimEnd());
    }

    [Fact]
    public void Save_NothingAtAll_CanBeLoaded()
    {
        using var folder = new TemporaryFolder();
        Safetensors.Save(folder.File("a"), []);
        using var loaded = Safetensors.Load(folder.File("a"));
        Assert.Empty(loaded);
    }

    [Fact]
    public void Save_NamesAndMetadataOfAnyScript_ComeBack()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        const string name = "Δ \"quoted\" \\ \n 😀";
        Safetensors.Save(folder.File("a"), new Dictionary<string, Tensor> { [name] = ones(1), [""] = ones(2) }, new Dictionary<string, string> { [name] = name });

        using var file = SafetensorsFile.Open(folder.File("a"));

        Assert.Equal(["", name], file.Tensors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(name, Assert.Single(file.Metadata, item => item.Key == name).Value);
    }

    [Fact]
    public void Save_NameTwice_IsRefused()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        KeyValuePair<string, Tensor>[] tensors = [new("same", ones(1)), new("same", ones(1))];
        var exception = Assert.Throws<ArgumentException>(() => Safetensors.Save(folder.File("a"), tensors));
        Assert.Contains("'same' occurs twice", exception.Message, StringComparison.Ordinal);
        Assert.Empty(folder.Files);
    }

    [Fact]
    public void Save_ReservedNameSparseOrUnknownType_IsRefused()
    {
        using var scope = NewDisposeScope();
        using var folder = new TemporaryFolder();
        Refused("__metadata__", ones(1), "reserves");
        Refused("s", ones(2, 2).to_sparse(), "sparse");
        Refused("c", zeros(2, ScalarType.ComplexFloat64), "ComplexFloat64");
        Refused("half of a pair \uD800", ones(1), "surrogate");
        Assert.Throws<ArgumentException>(() => Safetensors.Save(folder.File("a"), [], new Dictionary<string, string> { ["a"] = "\uDC00" }));
        Assert.Empty(folder.Files);

        void Refused(string name, Tensor tensor, string because) => Assert.Contains(
            because,
            Assert.ThrowsAny<ArgumentException>(() => Safetensors.Save(folder.File("a"), new Dictionary<string, Tensor> { [name] = tensor })).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Load_WithinADisposeScope_GivesTensorsThatOutliveIt()
    {
        using var folder = new TemporaryFolder();
        TensorDictionary loaded;
        using (NewDisposeScope())
        {
            Safetensors.Save(folder.File("a"), new Dictionary<string, Tensor> { ["a"] = ones(2) });
            loaded = Safetensors.Load(folder.File("a"));
        }

        Assert.False(loaded["a"].IsInvalid);
        loaded.Dispose();
        Assert.True(loaded["a"].IsInvalid);
    }

    [Fact]
    public void Load_RecordedFile_HasTheTensorsThatItsDescriptionLists()
    {
        using var golden = Golden.Case("explainingai/unet_small_rgb");
        foreach (var item in golden.Json.GetProperty("tensors").EnumerateObject().Where(item => item.Value.TryGetProperty("shape", out _)))
        {
            Assert.Equal(item.Value.GetProperty("shape").EnumerateArray().Select(size => size.GetInt64()), golden[item.Name].shape);
            Assert.Equal(item.Value.GetProperty("dtype").GetString() == "int64" ? ScalarType.Int64 : ScalarType.Float32, golden[item.Name].dtype);
        }

        Assert.All(golden.Tensors.Values.Where(tensor => tensor.is_floating_point()), tensor => Assert.True(tensor.isfinite().all().ToBoolean()));
    }
}
