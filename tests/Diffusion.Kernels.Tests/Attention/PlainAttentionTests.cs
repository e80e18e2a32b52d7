using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>Attention where no tiles run it, against the formula in float64.</summary>
public sealed class PlainAttentionTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(41, CPU);

    /// <summary>Queries, keys, heads, width of a head.</summary>
    public static TheoryDataRow[] Shapes { get; } = Levels.Rows(Levels.All, (1, 1, 1, 4), (33, 64, 2, 3), (64, 5, 1, 16), (131, 100, 3, 6), (40, 77, 2, 80));

    public static TheoryData<ProcessorLevel> All { get; } = [.. Levels.All];

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Apply_AnyLayout_GivesTheOutputAndTheGradientsOfTheFormula(int queries, int keys, int heads, int width, ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        var inner = heads * width;
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            Check(AttentionLayout.Separate(heads, width), type, Draw(3, queries, inner), Draw(3, keys, inner), Draw(3, keys, inner));
            Check(AttentionLayout.Joint(heads, width), type, Draw(3, queries, 3 * inner));
            Check(AttentionLayout.JointByHead(heads, width), type, Draw(3, queries, 3 * inner));
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Apply_GradientsOfGradients_AreThoseOfTheFormula(ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        var layout = AttentionLayout.Joint(2, 6);
        var tokens = Draw(2, 19, 36);

        var second = Second(PlainAttention.Apply, tokens);

        Assert.InRange(KernelComparison.Error(second, Second(Formulas.Attention, tokens.to(ScalarType.Float64))), 0, KernelComparison.Tolerance(ScalarType.Float32));

        Tensor Second(Func<AttentionLayout, Tensor[], Tensor> attend, Tensor values)
        {
            var leaf = values.detach().requires_grad_();
            var first = autograd.grad([attend(layout, [leaf]).square().sum()], [leaf], retain_graph: true, create_graph: true)[0];
            return autograd.grad([first.square().sum()], [leaf])[0];
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Apply_WalkedTwiceWithOneFrozen_GivesTheSameGradientsTwice(ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        Tensor[] tokens = [Draw(2, 19, 12).requires_grad_(), Draw(2, 21, 12), Draw(2, 21, 12).requires_grad_()];
        var output = PlainAttention.Apply(AttentionLayout.Separate(2, 6), tokens).square().sum();

        var first = autograd.grad([output], [tokens[0], tokens[2]], retain_graph: true);
        Diffusion.MemoryPoison.Spread();
        var second = autograd.grad([output], [tokens[0], tokens[2]]);

        Assert.All(first.Zip(second), pair => TensorAssert.Identical(pair.First, pair.Second, "gradient"));
        Assert.False(output.isnan().item<bool>());
    }

    /// <summary>Nothing is left to the collector, with a backward pass or without one.</summary>
    [Theory]
    [MemberData(nameof(All))]
    public void Apply_ManyTimes_LeavesNoTensors(ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        var tokens = Draw(1, 50, 24).requires_grad_();
        Step(walk: true);
        var before = LiveTensors.Settled();
        for (var i = 0; i < 20; i++)
        {
            Step(walk: i % 2 == 0);
        }

        Assert.Equal(before, Tensor.TotalCount);

        void Step(bool walk)
        {
            using var scope = NewDisposeScope();
            using var once = BackwardPass.ExpectOne();
            var sum = PlainAttention.Apply(AttentionLayout.Joint(2, 4), [tokens]).square().sum();
            if (walk)
            {
                sum.backward();
            }
        }
    }

    [Theory]
    [MemberData(nameof(All))]
    public void Backward_Of784Tokens_TakesFarLessMemoryThanTheScores(ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        Assert.SkipUnless(PeakMemory.IsKnown, "This system does not tell the peak of a process's memory.");
        const int images = 4, heads = 8, width = 8, tokens = 784;
        const long scores = (long)images * heads * tokens * tokens * sizeof(float); // 79 MB
        var leaf = Draw(images, tokens, 3 * heads * width).requires_grad_();
        Step(PlainAttention.Apply);

        var products = PeakMemory.Of(() => Step(PlainAttention.Products));
        var peak = PeakMemory.Of(() => Step(PlainAttention.Apply));

        Assert.InRange(products, scores, long.MaxValue); // what is measured is there
        Assert.InRange(peak, long.MinValue, scores / 4); // the system counts pages late, so that nothing may be a little less than that

        void Step(Func<AttentionLayout, Tensor[], Tensor> attend)
        {
            using var scope = NewDisposeScope();
            _ = autograd.grad([attend(AttentionLayout.Joint(heads, width), [leaf]).square().sum()], [leaf]);
        }
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private static void Check(AttentionLayout layout, ScalarType type, params Tensor[] tokens)
    {
        Tensor[] leaves = [.. tokens.Select(part => part.to(type).detach().requires_grad_())];
        Tensor[] exact = [.. leaves.Select(part => part.detach().to(ScalarType.Float64).requires_grad_())];
        var reference = Formulas.Attention(layout, exact);
        var direction = reference.detach().cos().to(type);
        var expected = autograd.grad([reference], exact, [direction.to(ScalarType.Float64)]);
        Diffusion.MemoryPoison.Spread();

        var output = PlainAttention.Apply(layout, leaves);
        var gradients = autograd.grad([output], leaves, [direction]);

        Assert.Equal(type, output.dtype);
        Assert.InRange(KernelComparison.Error(output.detach(), reference.detach()), 0, KernelComparison.Tolerance(type));
        Assert.All(expected.Zip(gradients), pair => Assert.InRange(KernelComparison.Error(pair.Second, pair.First, 0.1), 0, KernelComparison.Tolerance(type)));
        using var none = no_grad();
        Assert.InRange(KernelComparison.Error(PlainAttention.Apply(layout, leaves), reference.detach()), 0, KernelComparison.Tolerance(type));
    }

    private Tensor Draw(params long[] shape) => randn(shape, generator: _generator);
}
