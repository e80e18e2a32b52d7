using System.Text;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>Features of networks of TorchScript files.</summary>
public sealed class ScriptFeaturesTests : IDisposable
{
    private static readonly ImageShape s_grey = new(1, 28, 28);

    private readonly GoldenCase _golden = Golden.Case("metrics/scripted_features");
    private readonly TemporaryFolder _folder = new();

    private string Recorded => _golden.File("features.pt");

    public void Dispose()
    {
        _folder.Dispose();
        _golden.Dispose();
    }

    [Fact]
    public void Extract_RecordedNetwork_GivesItsFeatures()
    {
        using var features = ScriptFeatures.Load(Recorded, s_grey);
        using var actual = features.Extract(_golden["x"]);
        using var some = _golden["x"].narrow(0, 5, 3);
        using var part = features.Extract(some);
        using var expected = actual.narrow(0, 5, 3);

        Assert.Equal(24, features.Features);
        Assert.NotNull(features.Deviation); // it was compared
        Assert.Equal(ScalarType.Float32, actual.dtype);
        TensorAssert.Close(_golden["features_f64"], actual, 1e-5, 1e-5, "features");
        TensorAssert.Close(expected, part, 1e-6, 1e-5, "features of a part of the batch");
    }

    [Fact]
    public void Extract_ColourImages_GivesTheRecordedFeatures()
    {
        using var features = ScriptFeatures.Load(Recorded, new ImageShape(3, 28, 28));
        using var actual = features.Extract(_golden["rgb"]);
        TensorAssert.Close(_golden["rgb_features"], actual, _golden.AbsoluteTolerance, _golden.RelativeTolerance, "features");
    }

    [Fact]
    public void Load_WithChannels_RepeatsGrey()
    {
        using var plain = ScriptFeatures.Load(Recorded, s_grey);
        using var repeated = ScriptFeatures.Load(Recorded, s_grey, new ScriptFeaturesOptions { Channels = 3 });
        using var expected = plain.Extract(_golden["x"]);
        using var actual = repeated.Extract(_golden["x"]);

        TensorAssert.Close(expected, actual, 1e-5, 1e-5, "features");
        Assert.Equal($"{plain.Name} 3 channels", repeated.Name);
    }

    [Fact]
    public void Load_NetworkThatIsWrongInFloat32_RunsItInFloat64()
    {
        // Float32 loses the small number beside the large one.
        var path = Write("    return torch.mean(torch.sub(torch.add(x, 1.0e+9), 1.0e+9), [2, 3])");
        using var features = ScriptFeatures.Load(path, s_grey);
        using var actual = features.Extract(_golden["x"]);
        using var expected = _golden["x"].to(ScalarType.Float64).mean([2L, 3L]);

        Assert.Equal(ScalarType.Float64, features.Precision);
        Assert.True(features.Deviation > 0.01);
        TensorAssert.Close(expected, actual, 1e-3, 1e-5, "means");
    }

    [Fact]
    public void Load_NetworkThatIsRightInFloat32_KeepsIt()
    {
        using var features = ScriptFeatures.Load(Write("    return torch.mean(x, [2, 3])"), s_grey);
        Assert.Equal(ScalarType.Float32, features.Precision);
        Assert.InRange(features.Deviation!.Value, 0, 1e-6);
    }

    [Fact]
    public void Load_NetworkThatIsOfFloat32Alone_SaysThatNothingWasCompared()
    {
        using var weight = ones([2, 784], ScalarType.Float32);
        using var features = ScriptFeatures.Load(Write("    return torch.mm(torch.flatten(torch.to(x, 6), 1), torch.t(torch.to(self.weight, 6)))", tensors: ("weight", weight)), s_grey);
        using var none = ScriptFeatures.Load(Write("    y = torch.to(x, 6)\n    return torch.mm(torch.flatten(y, 1), torch.t(self.weight))", tensors: ("weight", weight)), s_grey);

        Assert.NotNull(features.Deviation);
        Assert.Null(none.Deviation);
        Assert.Equal(ScalarType.Float32, none.Precision);
    }

    /// <summary>What a reader of the figures has to know stands in the table and in the JSON.</summary>
    [Theory]
    [InlineData("    y = torch.to(x, 6)\n    return torch.mm(torch.flatten(y, 1), torch.t(self.weight))", "computed in float32 and not compared with float64, in which the network does not run")]
    [InlineData("    return torch.mean(torch.sub(torch.add(x, 1.0e+9), 1.0e+9), [2, 3])", "computed in float64, for float32 differs from it by ")]
    [InlineData("    return torch.mean(x, [2, 3])", null)]
    public void Report_OfFeatures_SaysHowTheyWereChecked(string code, string? expected)
    {
        using var weight = ones([2, 784], ScalarType.Float32);
        using var features = ScriptFeatures.Load(Write(code, tensors: ("weight", weight)), s_grey);
        using var extracted = features.Extract(_golden["x"]);
        using var statistics = FeatureStatistics.Of(extracted, "x");
        using var evaluator = new Evaluator(features, new() { Figures = ["frechet"] }) { ReferenceStatistics = statistics };
        var report = evaluator.Evaluate([_golden["x"].clone()], "x");
        Assert.Equal(expected is null ? 0 : 1, report.Remarks.Count);
        Assert.All(report.Remarks, remark => Assert.StartsWith($"{features.Name}: {expected}", remark, StringComparison.Ordinal));
        Assert.All(report.Remarks, remark => Assert.All([report.ToString(), report.ToJson()], text => Assert.Contains(remark, text, StringComparison.Ordinal)));
    }

    [Fact]
    public void Load_NetworkWithIndices_ComparesInFloat64()
    {
        using var order = tensor([3L, 1L], ScalarType.Int64);
        using var features = ScriptFeatures.Load(Write("    return torch.index_select(torch.flatten(x, 1), 1, self.order)", tensors: ("order", order)), s_grey);
        using var actual = features.Extract(_golden["x"]);
        using var flat = _golden["x"].flatten(1).to(ScalarType.Float32);
        using var expected = flat.index_select(1, order);

        Assert.Equal(0, features.Deviation);
        TensorAssert.Close(expected, actual, 0, 0, "chosen pixels");
    }

    [Fact]
    public void Extract_WithScaleMeanAndSize_GivesWhatTheNetworkNeeds()
    {
        var options = new ScriptFeaturesOptions { Channels = 3, Size = 14, Resizing = ImageResizing.TorchBilinear, Scale = 1 / 255.0, Mean = [0.485, 0.456, 0.406], StandardDeviation = [0.229, 0.224, 0.225] };
        using var features = ScriptFeatures.Load(Write("    return torch.flatten(x, 1)"), s_grey, options);
        using var actual = features.Extract(_golden["x"]);
        using var resized = ImageResize.To(_golden["x"], 14, 14, ImageResizing.TorchBilinear);
        using var scope = NewDisposeScope();
        var mean = tensor(new[] { 0.485, 0.456, 0.406 }).view(1, 3, 1, 1);
        var deviation = tensor(new[] { 0.229, 0.224, 0.225 }).view(1, 3, 1, 1);
        var expected = ((resized.to(ScalarType.Float64) / 255 - mean) / deviation).flatten(1);

        TensorAssert.Close(expected, actual, 1e-5, 1e-5, "input");
        Assert.Contains("3 channels 14x14 TorchBilinear", features.Name, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("    return torch.mean(x, [2, 3], True)", "Tensor")]
    [InlineData("    return (torch.mean(x, [2, 3]),)", "Tuple[Tensor]")]
    public void Load_NetworkWithMapsOfOnePixelOrATupleOfOne_TakesThemAsFeatures(string forward, string result)
    {
        using var features = ScriptFeatures.Load(Write(forward, result), s_grey);
        using var actual = features.Extract(_golden["x"]);
        Assert.Equal([64, 1], actual.shape);
    }

    [Theory]
    [InlineData("    return (torch.mean(x, [2, 3]), x)", "Tuple[Tensor, Tensor]", "2 values")]
    [InlineData("    return x", "Tensor", "[4, 1, 28, 28]")]
    [InlineData("    return torch.mean(x)", "Tensor", "Float32 []")]
    [InlineData("    return torch.size(x)", "List[int]", "4 values")]
    [InlineData("    return torch.mm(x, x)", "Tensor", "matrix")]
    public void Load_NetworkWithoutFeatures_IsRefusedByName(string forward, string result, string named)
    {
        var error = Assert.Throws<InvalidDataException>(() => ScriptFeatures.Load(Write(forward, result), s_grey));
        Assert.Contains("net.pt", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Contains(named, StringComparison.Ordinal), error.Message);
    }

    // Each of these would end the process if libtorch compiled it.
    [Theory]
    [InlineData("    y = torch._upsample_lanczos2d_aa(x, [32, 32], False, None)\n    return torch.mean(y, [2, 3])", "_upsample_lanczos2d_aa")]
    [InlineData("    return torch.mean(ops.torchvision.roi_align(x, x, 1., 1, 1, 1, False), [2, 3])", "torchvision::roi_align")]
    [InlineData("    a, b = torch.tomorrow(x)\n    return a", "aten::tomorrow")]
    public void Load_NetworkThatNeedsAnOperatorThatLibtorchLacks_IsRefusedByName(string forward, string named)
    {
        var error = Assert.Throws<InvalidDataException>(() => ScriptFeatures.Load(Write(forward), s_grey));
        Assert.Contains("net.pt", error.Message, StringComparison.Ordinal);
        Assert.Contains(named, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_FilesThatAreNoTorchScript_AreRefusedByName()
    {
        var cut = File.ReadAllBytes(Recorded)[..20_000];
        foreach (var bytes in new[] { Encoding.UTF8.GetBytes("no network"), [], File.ReadAllBytes(_golden.File("stats.npz")), cut, File.ReadAllBytes(Path.Combine(Golden.Folder, "explainingai", "unet_L1", "model.pth")) })
        {
            var error = Assert.Throws<InvalidDataException>(() => ScriptFeatures.Load(_folder.Write("other.pt", bytes), s_grey));
            Assert.Contains("other.pt", error.Message, StringComparison.Ordinal);
        }

        Assert.Throws<FileNotFoundException>(() => ScriptFeatures.Load(_folder.File("none.pt"), s_grey));
    }

    [Fact]
    public void Load_CodeThatIsNone_IsRefusedByName()
    {
        var path = _folder.Write("broken.pt", ScriptFile.Changed(Recorded, code => code.Replace("return torch.mean", "return (", StringComparison.Ordinal)));
        Assert.Contains("broken.pt", Assert.Throws<InvalidDataException>(() => ScriptFeatures.Load(path, s_grey)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Load_OptionsThatDoNotFit_AreRefused()
    {
        Assert.Throws<ArgumentException>(() => ScriptFeatures.Load(Recorded, new ImageShape(3, 28, 28), new ScriptFeaturesOptions { Channels = 1 }));
        Assert.Throws<ArgumentException>(() => ScriptFeatures.Load(Recorded, s_grey, new ScriptFeaturesOptions { Mean = [0, 1, 2] }));
        Assert.Throws<ArgumentException>(() => ScriptFeatures.Load(Recorded, s_grey, new ScriptFeaturesOptions { StandardDeviation = [0] }));
        using var features = ScriptFeatures.Load(Recorded, s_grey);
        Assert.Throws<ArgumentException>(() => features.Extract(_golden["rgb"]));
        Assert.Throws<ArgumentException>(() => features.Extract(_golden["features"]));
    }

    [Fact]
    public void LoadAndExtract_ManyTimes_KeepNoTensors()
    {
        LoadAndExtract();
        var before = LiveTensors.Settled();
        LoadAndExtract();
        Assert.Equal(before, LiveTensors.Settled());

        void LoadAndExtract()
        {
            using var features = ScriptFeatures.Load(Recorded, s_grey);
            features.Extract(_golden["x"]).Dispose();
            Assert.Throws<InvalidDataException>(() => ScriptFeatures.Load(Write("    return (x, x)", "Tuple[Tensor, Tensor]"), s_grey));
        }
    }

    [Fact]
    public void Name_OfAFile_IsOfItsBytes()
    {
        var other = _folder.Write("other-name.pt", File.ReadAllBytes(Recorded));
        using var features = ScriptFeatures.Load(Recorded, s_grey);
        using var same = ScriptFeatures.Load(other, s_grey);
        using var changed = ScriptFeatures.Load(_folder.Write("changed.pt", ScriptFile.Changed(Recorded, code => code)), s_grey);

        Assert.Matches("^script-[0-9a-f]{12}$", features.Name);
        Assert.Equal(features.Name, same.Name);
        Assert.NotEqual(features.Name, changed.Name);
    }

    private string Write(string forward, string result = "Tensor", params (string Name, Tensor Value)[] tensors) => _folder.Write("net.pt", ScriptFile.Of(forward, result, tensors));
}
