using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class FusedAttentionTests : IDisposable
{
    /// <summary>A single key gets all the weight, so that gradients of queries and keys are 0: only rounding, which is measured by this.</summary>
    private const double SmallestGradient = 1e-2;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(3, CPU);

    /// <summary>Numbers of tokens below, at and above whole tiles; widths of heads that are no multiple of 4, or wider than a product; one head and several.</summary>
    public static TheoryDataRow[] Shapes { get; } = Levels.Rows(
        Levels.WithTiles, (1, 1, 1, 4), (33, 64, 2, 3), (64, 5, 1, 16), (100, 131, 3, 6), (257, 257, 2, 8), (40, 77, 2, 64), (70, 70, 1, 80), (33, 64, 2, 100), (65, 130, 1, 256), (64, 64, 1, 512));

    public static TheoryDataRow[] Factors { get; } = Levels.Rows(Levels.WithTiles, (IEnumerable<double>)[30, 300]); // the latter: weights of 0 and 1, as e^300 is beyond float32

    public static TheoryDataRow[] Types { get; } = Levels.Rows(Levels.WithTiles, (IEnumerable<ScalarType>)[ScalarType.Float32, ScalarType.BFloat16]);

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Apply_ThreeTensors_AgreesWithFloat64(int tokens, int context, int heads, int width, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            Check(AttentionLayout.Separate(heads, width), type, Draw(2, tokens, heads * width), Draw(2, context, heads * width), Draw(2, context, heads * width));
        }
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Apply_OneTensor_AgreesWithFloat64(int tokens, int context, int heads, int width, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        Assert.True(context > 0); // its own here
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            Check(AttentionLayout.Joint(heads, width), type, Draw(2, tokens, 3 * heads * width));
            Check(AttentionLayout.JointByHead(heads, width), type, Draw(2, tokens, 3 * heads * width));
        }
    }

    [Theory]
    [MemberData(nameof(Factors))]
    public void Apply_LargeScores_AgreesWithFloat64(double factor, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        Check(AttentionLayout.Joint(2, 8), ScalarType.Float32, Draw(1, 70, 48) * Math.Sqrt(factor));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Apply_AllScoresFarBelowZero_GivesFiniteGradients(ScalarType type, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var (query, keys) = (ones(1, 40, 4) * 12, ones(1, 40, 4) * -12 + Draw(1, 40, 4)); // scores of about −288, where keys that fill up a tile have 0
        Check(AttentionLayout.Separate(1, 4), type, query, keys, Draw(1, 40, 4));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Apply_NotANumberInOneHead_ReachesThatHeadOnly(ScalarType type, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var tokens = Draw(1, 40, 24).to(type);
        tokens[0, 3, 1] = float.NaN; // of a query

        var output = FusedAttention.Apply(AttentionLayout.Joint(2, 4), tokens);

        Assert.Equal(4, output.isnan().sum().item<long>());
        Assert.True(output[0, 3, 0].isnan().item<bool>());
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Apply_OtherNumberOfThreads_GivesTheSameBits(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
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

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Backward_OfAGradient_AgreesWithFloat64(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var layout = AttentionLayout.Joint(2, 4);
        var tokens = Draw(1, 40, 24);

        TensorAssert.Close(Second(tokens.to(ScalarType.Float64), PlainAttention.Products), Second(tokens, FusedAttention.Apply), 1e-5, 1e-4, "second derivative");

        Tensor Second(Tensor values, Func<AttentionLayout, Tensor[], Tensor> attend)
        {
            var leaf = values.detach().requires_grad_(true);
            var gradient = autograd.grad([attend(layout, [leaf]).square().sum()], [leaf], retain_graph: true, create_graph: true)[0];
            return autograd.grad([gradient.square().sum()], [leaf])[0];
        }
    }

    [Theory]
    [InlineData(ProcessorLevel.Avx2)]
    [InlineData(ProcessorLevel.Avx512)]
    [InlineData(ProcessorLevel.Avx512BFloat16)]
    public void Backward_ManyTimes_LeavesNoTensors(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
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
        var reference = Formulas.Attention(layout, exact);
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

    private Tensor Draw(params long[] shape) => randn(shape, generator: _generator);
}
