using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class SpatialTransformerAttentionTests
{
    private static readonly SpatialTransformerOptions s_options = new() { ContextChannels = 7, Heads = 3, NormGroups = 4, Layers = 2, ZeroInitialize = false };

    [Theory]
    [InlineData(false, 4, 6, 5)]
    [InlineData(true, 4, 6, 5)]
    [InlineData(false, 1, 1, 1)]
    [InlineData(true, 3, 1, 33)]
    public void Forward_AnySizeAndLength_IsItsPartsOneAfterTheOther(bool linear, int height, int width, int length)
    {
        using var scope = NewDisposeScope();
        using var module = Make(linear);
        using var block0 = new TransformerBlock(12, 7, 3, 4);
        using var block1 = new TransformerBlock(12, 7, 3, 4);
        Weights.Load(block0, Part(module, "blocks.0."));
        Weights.Load(block1, Part(module, "blocks.1."));
        var (images, context) = (Draw(2, 12, height, width), Draw(2, length, 7));
        Diffusion.MemoryPoison.Spread();
        var output = module.call(images, context);

        var tokens = Map(nn.functional.group_norm(images, 4, module.get_parameter("norm.weight"), module.get_parameter("norm.bias"), 1e-6).flatten(2).transpose(1, 2), "proj_in");
        tokens = block1.call(block0.call(tokens, context), context);
        var expected = images + Map(tokens, "proj_out").transpose(1, 2).reshape(2, 12, height, width);
        TensorAssert.Close(expected, output, 1e-6, 1e-6, "output");

        Tensor Map(Tensor input, string name) => nn.functional.linear(input, module.get_parameter(name + ".weight")!.flatten(1), module.get_parameter(name + ".bias"));
    }

    [Fact]
    public void Forward_GroupNorm_Adds1e6ToTheVariance()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var module = Make(linear: true);
        var images = Draw(1, 12, 4, 4) * 1e-3; // a variance of 1e-6
        using var context = zeros(1, 1, 7);
        var scaled = module.call(images, context) - images;
        var limit = module.call(images * 1e6, context) - (images * 1e6);
        Assert.True((scaled - limit).abs().max().item<float>() > 1e-2);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Backward_DoublePrecision_GivesTheDifferencesOfTheOutput(bool linear)
    {
        using var scope = NewDisposeScope();
        using var module = Make(linear);
        module.to(ScalarType.Float64);
        var (images, context) = (Draw(2, 12, 2, 3).to(ScalarType.Float64).requires_grad_(), Draw(2, 4, 7).to(ScalarType.Float64).requires_grad_());
        GradientCheck.Run(module, () => module.call(images, context), images, context);
    }

    [Fact]
    public void Constructor_Default_StartsAsTheIdentity()
    {
        using var scope = NewDisposeScope();
        using var module = new SpatialTransformer(12, s_options with { ZeroInitialize = true }, new Generator(4, CPU));
        var images = Draw(2, 12, 4, 4);
        TensorAssert.Identical(images, module.call(images, Draw(2, 3, 7)), "output");
        Assert.True(new SpatialTransformerOptions().ZeroInitialize);
        Assert.All(module.named_parameters().Where(entry => entry.name.StartsWith("proj_in", StringComparison.Ordinal)), entry => Assert.True(entry.parameter.abs().min().item<float>() > 0));
    }

    [Fact]
    public void Constructor_LinearProjection_StoresMatrices()
    {
        using var convolutions = Make(linear: false);
        using var matrices = Make(linear: true);
        Assert.Equal([12, 12, 1, 1], convolutions.get_parameter("proj_in.weight")!.shape);
        Assert.Equal([12, 12], matrices.get_parameter("proj_out.weight")!.shape);
        Assert.Equal(convolutions.state_dict().Keys, matrices.state_dict().Keys);
    }

    [Fact]
    public void Forward_ChannelsLast_ComputesTheSame()
    {
        using var scope = NewDisposeScope();
        using var module = Make(linear: false);
        var (images, context) = (Draw(2, 12, 4, 6), Draw(2, 3, 7));
        var last = images.permute(0, 2, 3, 1).contiguous().permute(0, 3, 1, 2);
        TensorAssert.Close(module.call(images, context), module.call(last, context), 1e-6, 1e-6, "output");
    }

    [Fact]
    public void Forward_BadShapesOrOptions_SaysWhatIsNeeded()
    {
        using var scope = NewDisposeScope();
        using var module = Make(linear: false);
        Assert.Contains("[B, 12, H, W]; it was given [2, 11, 4, 4]", Error(() => module.call(zeros(2, 11, 4, 4), zeros(2, 3, 7))), StringComparison.Ordinal);
        Assert.Contains("[2, L, 7] with L at least 1; it was given [2, 3, 8]", Error(() => module.call(zeros(2, 12, 4, 4), zeros(2, 3, 8))), StringComparison.Ordinal);
        Assert.Contains("5 heads do not divide 12 channels", Error(() => _ = new SpatialTransformer(12, s_options with { Heads = 5 })), StringComparison.Ordinal);
        var all = Error(() => _ = new SpatialTransformer(12, new SpatialTransformerOptions { ContextChannels = 0, Heads = 0, HeadWidth = 0, Layers = 0, NormGroups = 0 }));
        Assert.All(["ContextChannels", "Heads", "HeadWidth", "Layers", "NormGroups"], name => Assert.Contains($"{name}: must be at least 1; it is 0", all, StringComparison.Ordinal));

        static string Error(Action action) => Assert.Throws<ArgumentException>(action).Message;
    }

    private static SpatialTransformer Make(bool linear) => new(12, s_options with { LinearProjection = linear }, new Generator(4, CPU));

    private static Dictionary<string, Tensor> Part(nn.Module module, string prefix) =>
        module.state_dict().Where(entry => entry.Key.StartsWith(prefix, StringComparison.Ordinal)).ToDictionary(entry => entry.Key[prefix.Length..], entry => entry.Value);

    private static Tensor Draw(params long[] shape)
    {
        using var generator = new Generator(11, CPU);
        return randn(shape, generator: generator);
    }
}
