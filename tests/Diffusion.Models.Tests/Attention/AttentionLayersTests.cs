using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>Each layer against <see cref="AttentionFormula"/>, its gradients, its initial values, its errors.</summary>
public sealed class AttentionLayersTests
{
    private const int Channels = 12;
    private const int ContextChannels = 7;

    [Theory]
    [InlineData(1, 12, 5)]
    [InlineData(3, 4, 5)]
    [InlineData(4, 2, 1)]
    [InlineData(2, 9, 40)]
    public void CrossAttention_AnyHeadsAndLength_IsTheFormula(int heads, int headWidth, int length)
    {
        using var scope = NewDisposeScope();
        using var layer = new CrossAttention(Channels, ContextChannels, heads, headWidth, Seeded());
        var (tokens, context) = (Draw(2, 6, Channels), Draw(2, length, ContextChannels));
        Diffusion.MemoryPoison.Spread();
        var output = layer.call(tokens, context);
        for (var image = 0; image < 2; image++)
        {
            var expected = AttentionFormula.Attention(AttentionFormula.Matrix(tokens[image]), AttentionFormula.Matrix(context[image]), Weight(layer), Bias(layer), heads);
            Close(expected, output[image]);
        }
    }

    [Fact]
    public void FeedForward_LargeTokens_IsTheFormula()
    {
        using var scope = NewDisposeScope();
        using var layer = new FeedForward(Channels, expansion: 3, Seeded());
        var tokens = Draw(1, 6, Channels) * 3;
        Close(AttentionFormula.FeedForward(AttentionFormula.Matrix(tokens[0]), Weight(layer), Bias(layer)), layer.call(tokens)[0]);
    }

    [Fact]
    public void LayerNorm_ShiftedTokens_IsTheFormula()
    {
        using var scope = NewDisposeScope();
        using var layer = new LayerNorm(Channels);
        Shake(layer);
        var tokens = Draw(1, 6, Channels) + 3;
        Close(AttentionFormula.LayerNorm(AttentionFormula.Matrix(tokens[0]), Bias(layer)("weight"), Bias(layer)("bias")), layer.call(tokens)[0]);
    }

    [Fact]
    public void TransformerBlock_OwnNorms_IsTheFormula()
    {
        using var scope = NewDisposeScope();
        using var block = new TransformerBlock(Channels, ContextChannels, 3, 4, Seeded());
        Shake(block);
        var (tokens, context) = (Draw(1, 6, Channels), Draw(1, 5, ContextChannels));
        var (hidden, outside) = (AttentionFormula.Matrix(tokens[0]), AttentionFormula.Matrix(context[0]));
        var normalized = Norm("norm1");
        hidden = AttentionFormula.Add(hidden, AttentionFormula.Attention(normalized, normalized, Weight(block, "self."), Bias(block, "self."), 3));
        hidden = AttentionFormula.Add(hidden, AttentionFormula.Attention(Norm("norm2"), outside, Weight(block, "cross."), Bias(block, "cross."), 3));
        hidden = AttentionFormula.Add(hidden, AttentionFormula.FeedForward(Norm("norm3"), Weight(block, "feed."), Bias(block, "feed.")));
        Close(hidden, block.call(tokens, context)[0]);

        double[,] Norm(string name) => AttentionFormula.LayerNorm(hidden, Bias(block)(name + ".weight"), Bias(block)(name + ".bias"));
    }

    [Fact]
    public void Backward_DoublePrecision_GivesTheDifferencesOfTheOutput()
    {
        using var scope = NewDisposeScope();
        var (tokens, context) = (Draw(2, 6, Channels).to(ScalarType.Float64).requires_grad_(), Draw(2, 3, ContextChannels).to(ScalarType.Float64).requires_grad_());
        using var attention = Exact(new CrossAttention(Channels, ContextChannels, 3, 4, Seeded()));
        GradientCheck.Run(attention, () => attention.call(tokens, context), tokens, context);
        using var feed = Exact(new FeedForward(Channels, generator: Seeded()));
        tokens.grad!.zero_();
        GradientCheck.Run(feed, () => feed.call(tokens), tokens);
        using var block = Exact(new TransformerBlock(Channels, ContextChannels, 3, 4, Seeded()));
        tokens.grad!.zero_();
        context.grad!.zero_();
        GradientCheck.Run(block, () => block.call(tokens, context), tokens, context);
    }

    [Fact]
    public void Constructor_PoisonedMemory_DrawsPyTorchsDefault()
    {
        Diffusion.MemoryPoison.Spread();
        using var block = new TransformerBlock(64, 32, 4, 16, Seeded());
        using var same = new TransformerBlock(64, 32, 4, 16, Seeded());
        TensorAssert.Identical(block.state_dict(), same.state_dict());
        foreach (var (name, parameter) in block.named_parameters())
        {
            if (name.StartsWith("norm", StringComparison.Ordinal))
            {
                Assert.All(AttentionFormula.Vector(parameter), value => Assert.Equal(name.EndsWith("weight", StringComparison.Ordinal) ? 1 : 0, value));
                continue;
            }

            var fanIn = name.StartsWith("cross.key", StringComparison.Ordinal) || name.StartsWith("cross.value", StringComparison.Ordinal) ? 32 : name.StartsWith("feed.out", StringComparison.Ordinal) ? 256 : 64;
            var largest = AttentionFormula.Vector(parameter).Max(Math.Abs) * Math.Sqrt(fanIn);
            Assert.InRange(largest, 0.85, 1 + 1e-6);
        }
    }

    [Fact]
    public void StateDict_TransformerBlock_HasTheseNames()
    {
        using var block = new TransformerBlock(Channels, ContextChannels, 3, 5);
        Assert.Equal(
            [
                "norm1.weight [12]", "norm1.bias [12]",
                "self.query.weight [15, 12]", "self.key.weight [15, 12]", "self.value.weight [15, 12]", "self.out.weight [12, 15]", "self.out.bias [12]",
                "norm2.weight [12]", "norm2.bias [12]",
                "cross.query.weight [15, 12]", "cross.key.weight [15, 7]", "cross.value.weight [15, 7]", "cross.out.weight [12, 15]", "cross.out.bias [12]",
                "norm3.weight [12]", "norm3.bias [12]",
                "feed.gate.weight [96, 12]", "feed.gate.bias [96]", "feed.out.weight [12, 48]", "feed.out.bias [12]",
            ],
            block.state_dict().Select(entry => $"{entry.Key} [{string.Join(", ", entry.Value.shape)}]"));
    }

    [Fact]
    public void Forward_WrongShapes_SaysWhatIsNeeded()
    {
        using var scope = NewDisposeScope();
        using var block = new TransformerBlock(Channels, ContextChannels, 3, 4);
        Assert.Contains("tokens of shape [B, N, 12]; it was given [2, 6, 11]", Error(() => block.call(zeros(2, 6, 11), zeros(2, 5, 7))), StringComparison.Ordinal);
        Assert.Contains("context of shape [2, L, 7] with L at least 1; it was given [2, 0, 7]", Error(() => block.call(zeros(2, 6, 12), zeros(2, 0, 7))), StringComparison.Ordinal);
        Assert.Contains("context of shape [2, L, 7] with L at least 1; it was given [1, 5, 7]", Error(() => block.call(zeros(2, 6, 12), zeros(1, 5, 7))), StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => new CrossAttention(12, 7, 0, 4));
        Assert.Throws<ArgumentOutOfRangeException>(() => new FeedForward(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => new LayerNorm(4, eps: 0));

        static string Error(Action action) => Assert.Throws<ArgumentException>(action).Message;
    }

    private static Generator Seeded() => new(7, CPU);

    private static Tensor Draw(params long[] shape)
    {
        using var generator = new Generator(11, CPU);
        return randn(shape, generator: generator);
    }

    /// <summary>Moves the norms away from 1 and 0.</summary>
    private static void Shake(nn.Module module)
    {
        using var noGradients = no_grad();
        foreach (var parameter in module.parameters().Where(parameter => parameter.dim() == 1))
        {
            parameter.add_(Draw(parameter.shape), alpha: 0.3);
        }
    }

    private static T Exact<T>(T module)
        where T : nn.Module
    {
        module.to(ScalarType.Float64);
        Shake64(module);
        return module;

        static void Shake64(nn.Module module)
        {
            using var noGradients = no_grad();
            foreach (var parameter in module.parameters().Where(parameter => parameter.dim() == 1))
            {
                parameter.add_(Draw(parameter.shape).to(ScalarType.Float64), alpha: 0.3);
            }
        }
    }

    private static Func<string, double[,]> Weight(nn.Module module, string prefix = "") => name => AttentionFormula.Matrix(module.get_parameter(prefix + name)!);

    private static Func<string, double[]> Bias(nn.Module module, string prefix = "") => name => AttentionFormula.Vector(module.get_parameter(prefix + name)!);

    private static void Close(double[,] expected, Tensor actual) =>
        TensorAssert.Close(tensor(expected), actual.to(ScalarType.Float64), 2e-6, 2e-6, "output");
}
