using TorchSharp;
using Diffusion.Kernels;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

public sealed class GradientCheckpointingTests
{
    [Theory]
    [InlineData(0.0)]
    [InlineData(0.4)]
    public void Run_OnePart_GivesTheSameBits(double dropout)
    {
        using var scope = NewDisposeScope();
        using var part = Block();
        using var input = Input(3, 16, 5, 7);
        using var context = Input(3, 4, 6);
        var plain = Outcome(part, input, context, inputs => Forward(part, inputs, dropout).square().mean());
        var recomputed = Outcome(part, input, context, inputs => GradientCheckpointing.Run([part], tensors => Forward(part, tensors, dropout), [.. inputs]).square().mean());
        Assert.Equal(["loss", "input", "context", .. part.named_parameters().Select(entry => entry.name)], plain.Keys);
        TensorAssert.Identical(plain, recomputed);
    }

    [Fact]
    public void Run_Attention_GivesTheSameBits()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var layout = AttentionLayout.Joint(2, 4);
        var tokens = randn([1, 140, 24], generator: generator).requires_grad_();

        var plain = autograd.grad([Functional.Attention(layout, tokens).square().sum()], [tokens])[0];
        var recomputed = autograd.grad([GradientCheckpointing.Run([], inputs => Functional.Attention(layout, inputs[0]), tokens).square().sum()], [tokens])[0];

        TensorAssert.Identical(plain, recomputed, "gradient");
    }

    /// <summary>Without gradients convolutions of such images round more: not in the first of the two runs, and not where the part turns gradients off itself.</summary>
    [Fact]
    public void Run_ConvolutionsOfLargeImages_GivesTheSameBits()
    {
        using var scope = NewDisposeScope();
        using var generator = new Generator(3, CPU);
        var (weight, second) = (randn([32, 32, 3, 3], generator: generator).requires_grad_(), randn([32, 32, 3, 3], generator: generator));
        var images = randn([2, 32, 13, 14], generator: generator).requires_grad_();
        Tensor Part(Tensor input)
        {
            var shape = new ConvolutionShape(32, 32, 3, 1, 1);
            Tensor fixedOne;
            using (no_grad())
            {
                fixedOne = Functional.Conv2d(input, new(second, null, shape));
            }

            return Functional.Conv2d(input, new(weight, null, shape)) * fixedOne;
        }

        var first = ForwardOnly.Not(() => Part(images));
        var plain = autograd.grad([first.square().sum()], [images])[0];
        var output = GradientCheckpointing.Run([], inputs => Part(inputs[0]), images);

        TensorAssert.Identical(first.detach(), output.detach(), "output");
        TensorAssert.Identical(plain, autograd.grad([output.square().sum()], [images])[0], "gradient");
    }

    [Fact]
    public void Run_PartsInARow_AgreeToRounding()
    {
        using var scope = NewDisposeScope();
        using var part = Block(); // the same weights in every part: their gradients are sums, too
        using var input = Input(2, 16, 4, 4);
        using var context = Input(2, 3, 6);
        var plain = Outcome(part, input, context, inputs => Row(inputs, (images, tokens) => part.call(images, tokens)).square().mean());
        var recomputed = Outcome(part, input, context, inputs => Row(inputs, (images, tokens) => GradientCheckpointing.Run(part, images, tokens)).square().mean());
        foreach (var (name, expected) in plain)
        {
            TensorAssert.Close(expected, recomputed[name], 1e-7, 1e-5, name);
        }
    }

    [Fact]
    public void Run_FrozenParameters_HaveNoGradient()
    {
        using var scope = NewDisposeScope();
        using var part = Block();
        part.get_parameter("proj_in.weight")!.requires_grad = false;
        using var images = randn(2, 16, 4, 4);
        using var context = randn(2, 3, 6);
        GradientCheckpointing.Run(part, images, context).square().mean().backward();
        Assert.Null(part.get_parameter("proj_in.weight")!.grad);
        Assert.NotNull(part.get_parameter("proj_in.bias")!.grad); // though no input requires a gradient
        Assert.Null(images.grad);
    }

    [Fact]
    public void Run_WithoutGradients_IsThePlainCall()
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        using var part = Block();
        var (images, context) = (randn(2, 16, 4, 4), randn(2, 3, 6));
        var output = GradientCheckpointing.Run(part, images, context);
        Assert.False(output.requires_grad);
        TensorAssert.Identical(part.call(images, context), output, "output");
        Assert.Throws<ArgumentException>(() => GradientCheckpointing.Run([part], inputs => inputs[0]));
    }

    [Fact]
    public void Backward_WeightsChangedSince_IsAnError()
    {
        using var scope = NewDisposeScope();
        using var part = Block();
        var output = GradientCheckpointing.Run(part, Input(1, 16, 2, 2), Input(1, 3, 6)).sum();
        using (no_grad())
        {
            part.get_parameter("proj_in.bias")!.add_(1);
        }

        Assert.Contains("invalid gradient", Assert.ThrowsAny<Exception>(() => output.backward()).Message, StringComparison.Ordinal);
        Assert.Contains("modified by an inplace operation", GradientCheckpointing.SecondRunError!.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(new long[] { 2, 2 })]
    [InlineData(new long[] { 1 })]
    public void Backward_SecondRunFails_IsAnErrorForAnyShape(long[] shape)
    {
        using var scope = NewDisposeScope();
        var (runs, input) = (0, ones(shape, requires_grad: true));
        var output = GradientCheckpointing.Run([], inputs => runs++ == 0 ? inputs[0] * inputs[0] : throw new InvalidOperationException("second run"), input).sum();

        Assert.Contains("invalid gradient", Assert.ThrowsAny<Exception>(() => output.backward()).Message, StringComparison.Ordinal);
        Assert.Equal("second run", GradientCheckpointing.SecondRunError!.Message);
    }

    /// <summary>The error is in a backward pass within a backward pass, of which no .NET code is the caller: caught nowhere it would end the process.</summary>
    [Theory]
    [InlineData(false, "memory")]
    [InlineData(true, "must match the size of tensor b")]
    public void Backward_APartWithinAPartFails_IsAnErrorWithTheCause(bool shape, string cause)
    {
        using var scope = NewDisposeScope();
        var (runs, input) = (0, ones([2, 2], requires_grad: true));
        Tensor Inner(IReadOnlyList<Tensor> inputs) => inputs[0] * (++runs <= 2 ? inputs[0] : shape ? ones(3) : empty([1L << 50]));
        var output = GradientCheckpointing.Run([], outer => GradientCheckpointing.Run([], Inner, outer[0] * outer[0]), input).sum();

        Assert.ThrowsAny<Exception>(() => output.backward());

        Assert.Equal(3, runs);
        Assert.Contains(cause, BackwardPass.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Backward_DirectionOfAnotherShapeInTheSecondRun_IsAnErrorWithTheCause()
    {
        using var scope = NewDisposeScope();
        var (runs, input) = (0, ones([2, 2], requires_grad: true));
        var output = GradientCheckpointing.Run([], inputs => runs++ == 0 ? inputs[0] * inputs[0] : inputs[0].flatten(), input).sum();

        Assert.ThrowsAny<Exception>(() => output.backward());

        Assert.Contains("invalid gradient at index 0", BackwardPass.Failure!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Backward_WithAGraphOfItself_IsAnErrorThatSaysSo()
    {
        using var scope = NewDisposeScope();
        var input = ones([2, 2], requires_grad: true);
        var output = GradientCheckpointing.Run([], inputs => inputs[0] * inputs[0] * inputs[0], input).sum();

        Assert.ThrowsAny<Exception>(() => output.backward(create_graph: true));

        Assert.Contains("derivatives themselves", Assert.IsType<NotSupportedException>(BackwardPass.Failure).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Backward_SecondRunOfASingleNumberFails_GivesNoNumber()
    {
        using var scope = NewDisposeScope();
        var (runs, input) = (0, ones([], requires_grad: true));
        GradientCheckpointing.Run([], inputs => runs++ == 0 ? inputs[0] * inputs[0] : throw new InvalidOperationException("second run"), input).backward();

        Assert.Equal(float.NaN, input.grad!.item<float>());
    }

    [Fact]
    public void Run_PartsThatShareParameters_GivesTheSameBits()
    {
        using var scope = NewDisposeScope();
        using var part = Block();
        using var input = Input(2, 16, 4, 4);
        using var context = Input(2, 3, 6);
        var plain = Outcome(part, input, context, inputs => part.call(inputs[0], inputs[1]).square().mean());
        var recomputed = Outcome(part, input, context, inputs => GradientCheckpointing.Run([part, part], tensors => part.call(tensors[0], tensors[1]), [.. inputs]).square().mean());
        TensorAssert.Identical(plain, recomputed);
    }

    [Fact]
    public void Backward_ASecondTime_IsAnError()
    {
        using var scope = NewDisposeScope();
        using var part = Block();
        var output = GradientCheckpointing.Run(part, Input(1, 16, 2, 2), Input(1, 3, 6)).square().sum();
        output.backward(retain_graph: true);
        Assert.ThrowsAny<Exception>(() => output.backward());
    }

    [Fact]
    public void Run_Generator_IsLeftWhereThePlainCallLeavesIt()
    {
        using var scope = NewDisposeScope();
        using var part = Block();
        var (images, context) = (Input(1, 16, 2, 2), Input(1, 3, 6));
        torch.random.manual_seed(5);
        Forward(part, [images, context], 0.5).sum().backward();
        var expected = rand(4);
        torch.random.manual_seed(5);
        GradientCheckpointing.Run([part], inputs => Forward(part, inputs, 0.5), images, context).sum().backward();
        TensorAssert.Identical(expected, rand(4), "next draw");
    }

    [Fact]
    public void Run_TwentySteps_LeaveNoTensorBehind()
    {
        using var part = Block();
        using var input = Input(2, 16, 4, 4);
        using var context = Input(2, 3, 6);
        Step();
        GC.Collect(); // what earlier tests left to finalizers
        GC.WaitForPendingFinalizers();
        var before = LiveTensors.Settled();
        for (var i = 0; i < 20; i++)
        {
            Step();
        }

        Assert.Equal(before, Tensor.TotalCount);

        void Step()
        {
            using var scope = NewDisposeScope();
            GradientCheckpointing.Run(part, input, context).square().mean().backward();
        }
    }

    private static SpatialTransformer Block()
    {
        using var generator = new Generator(3, CPU);
        return new SpatialTransformer(16, new SpatialTransformerOptions { ContextChannels = 6, Heads = 2, NormGroups = 4, ZeroInitialize = false }, generator);
    }

    private static Tensor Input(params long[] shape)
    {
        using var generator = new Generator(9, CPU);
        return randn(shape, generator: generator).requires_grad_();
    }

    private static Tensor Forward(SpatialTransformer part, IReadOnlyList<Tensor> inputs, double dropout) =>
        nn.functional.dropout(part.call(inputs[0], inputs[1]), dropout);

    private static Tensor Row(IReadOnlyList<Tensor> inputs, Func<Tensor, Tensor, Tensor> part) =>
        Enumerable.Range(0, 3).Aggregate(inputs[0], (images, _) => part(images, inputs[1]));

    /// <summary>The loss and all gradients.</summary>
    private static Dictionary<string, Tensor> Outcome(SpatialTransformer part, Tensor input, Tensor context, Func<IReadOnlyList<Tensor>, Tensor> loss)
    {
        torch.random.manual_seed(1);
        foreach (var tensor in part.parameters().Cast<Tensor>().Append(input).Append(context))
        {
            tensor.grad?.zero_();
        }

        var value = loss([input, context]);
        value.backward();
        var result = new Dictionary<string, Tensor> { ["loss"] = value.detach(), ["input"] = input.grad!.clone(), ["context"] = context.grad!.clone() };
        foreach (var (name, parameter) in part.named_parameters())
        {
            result[name] = parameter.grad!.clone();
        }

        return result;
    }
}
