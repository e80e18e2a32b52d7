using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class FusedAttentionTests : IDisposable
{
    /// <summary>A single key gets all the weight, so that gradients of queries and keys are 0: only rounding, which is measured by this.</summary>
    private const double SmallestGradient = 1e-2;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(3, CPU);

    /// <summary>Numbers of tokens below, at and above whole tiles; widths of heads that are no multiple of 4; one head and several.</summary>
    public static TheoryData<int, int, int, int> Shapes { get; } = new()
    {
        { 1, 1, 1, 4 }, { 33, 64, 2, 3 }, { 64, 5, 1, 16 }, { 100, 131, 3, 6 }, { 257, 257, 2, 8 }, { 40, 77, 2, 64 },
    };

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Apply_ThreeTensors_AgreesWithFloat64(int tokens, int context, int heads, int width)
    {
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            Check(AttentionLayout.Separate(heads, width), type, Draw(2, tokens, heads * width), Draw(2, context, heads * width), Draw(2, context, heads * width));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Apply_OneTensor_AgreesWithFloat64(int tokens, int context, int heads, int width)
    {
        Assert.True(context > 0); // its own here
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            Check(AttentionLayout.Joint(heads, width), type, Draw(2, tokens, 3 * heads * width));
            Check(AttentionLayout.JointByHead(heads, width), type, Draw(2, tokens, 3 * heads * width));
        }
    }

    [Theory]
    [InlineData(30)]
    [InlineData(300)] // weights of 0 and 1: e^300 is beyond float32
    public void Apply_LargeScores_AgreesWithFloat64(double factor) =>
        Check(AttentionLayout.Joint(2, 8), ScalarType.Float32, Draw(1, 70, 48) * Math.Sqrt(factor));

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Apply_AllScoresFarBelowZero_GivesFiniteGradients(ScalarType type)
    {
        var (query, keys) = (ones(1, 40, 4) * 12, ones(1, 40, 4) * -12 + Draw(1, 40, 4)); // scores of about −288, where keys that fill up a tile have 0
        Check(AttentionLayout.Separate(1, 4), type, query, keys, Draw(1, 40, 4));
    }

    [Theory]
    [InlineData(ScalarType.Float32)]
    [InlineData(ScalarType.BFloat16)]
    public void Apply_NotANumberInOneHead_ReachesThatHeadOnly(ScalarType type)
    {
        var tokens = Draw(1, 40, 24).to(type);
        tokens[0, 3, 1] = float.NaN; // of a query

        var output = FusedAttention.Apply(AttentionLayout.Joint(2, 4), tokens);

        Assert.Equal(4, output.isnan().sum().item<long>());
        Assert.True(output[0, 3, 0].isnan().item<bool>());
    }

    [Fact]
    public void Apply_OtherNumberOfThreads_GivesTheSameBits()
    {
        var threads = get_num_threads();
        var tokens = Draw(2, 600, 24).requires_grad_(true);
        try
        {
            set_num_threads(1);
            var one = Run();
            set_num_threads(3);
            var three = Run();
            TensorAssert.Identical(one.Output, three.Output, "output");
            TensorAssert.Identical(one.Gradient, three.Gradient, "gradient");
        }
        finally
        {
            set_num_threads(threads);
        }

        (Tensor Output, Tensor Gradient) Run()
        {
            var output = FusedAttention.Apply(AttentionLayout.Joint(2, 4), tokens);
            return (output.detach(), autograd.grad([output.square().sum()], [tokens])[0]);
        }
    }

    [Fact]
    public void Backward_InsideGradientCheckpointing_GivesTheSameBits()
    {
        var layout = AttentionLayout.Joint(2, 4);
        var tokens = Draw(1, 140, 24).requires_grad_(true);

        var plain = autograd.grad([FusedAttention.Apply(layout, tokens).square().sum()], [tokens])[0];
        var recomputed = autograd.grad([GradientCheckpointing.Run([], inputs => FusedAttention.Apply(layout, inputs[0]), tokens).square().sum()], [tokens])[0];

        TensorAssert.Identical(plain, recomputed, "gradient");
    }

    [Fact]
    public void Backward_OfAGradient_AgreesWithFloat64()
    {
        var layout = AttentionLayout.Joint(2, 4);
        var tokens = Draw(1, 40, 24);

        TensorAssert.Close(Second(tokens.to(ScalarType.Float64), AttentionProduct.Products), Second(tokens, FusedAttention.Apply), 1e-5, 1e-4, "second derivative");

        Tensor Second(Tensor values, Func<AttentionLayout, Tensor[], Tensor> attend)
        {
            var leaf = values.detach().requires_grad_(true);
            var gradient = autograd.grad([attend(layout, [leaf]).square().sum()], [leaf], retain_graph: true, create_graph: true)[0];
            return autograd.grad([gradient.square().sum()], [leaf])[0];
        }
    }

    [Fact]
    public void Backward_ManyTimes_LeavesNoTensors()
    {
        var tokens = Draw(1, 140, 24).requires_grad_(true);
        Step();
        var before = LiveTensors.Settled();
        for (var i = 0; i < 20; i++)
        {
            Step();
        }

        Assert.Equal(before, LiveTensors.Settled());

        void Step()
        {
            using var scope = NewDisposeScope();
            FusedAttention.Apply(AttentionLayout.Joint(2, 4), tokens).square().sum().backward();
        }
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private static void Check(AttentionLayout layout, ScalarType type, params Tensor[] tokens)
    {
        Tensor[] narrow = [.. tokens.Select(part => part.to(type).detach().requires_grad_(true))];
        Tensor[] exact = [.. narrow.Select(part => part.detach().to(ScalarType.Float64).requires_grad_(true))];
        var reference = Reference(layout, exact);
        Diffusion.MemoryPoison.Spread();

        var output = FusedAttention.Apply(layout, narrow);

        var direction = ones_like(output) * output.detach().cos(); // some direction of its size
        output.backward([direction]);
        reference.backward([direction.to(ScalarType.Float64)]);
        Assert.Equal(type, output.dtype);
        Assert.InRange(KernelComparison.Error(output.detach(), reference.detach()), 0, KernelComparison.Tolerance(type));
        foreach (var (gradient, expected) in narrow.Zip(exact))
        {
            Assert.InRange(KernelComparison.Error(gradient.grad!, expected.grad!, SmallestGradient), 0, KernelComparison.Tolerance(type));
        }
    }

    private static Tensor Reference(AttentionLayout layout, Tensor[] tokens)
    {
        var (query, key, value) = layout.Split(tokens);
        return nn.functional.softmax(query.matmul(key.transpose(-2, -1)) / Math.Sqrt(layout.Width), -1).matmul(value).transpose(1, 2).flatten(2);
    }

    private Tensor Draw(params long[] shape) => randn(shape, generator: _generator);
}
