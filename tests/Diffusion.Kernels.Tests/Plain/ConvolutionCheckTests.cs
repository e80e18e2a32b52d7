using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>The check that decides whether channels are padded, and what is computed after it.</summary>
public sealed class ConvolutionCheckTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(37, CPU);

    public static TheoryDataRow[] Channels { get; } = Levels.Rows(Levels.All, (1, 64), (3, 32), (5, 7), (20, 24), (48, 112), (64, 1), (80, 48));

    public static TheoryData<ProcessorLevel> All { get; } = [.. Levels.All];

    [Theory]
    [MemberData(nameof(Channels))]
    public void Forward_OddChannelsInPoisonedMemory_IsThatOfFloat64(int inChannels, int outChannels, ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        Check(inChannels, outChannels);
    }

    /// <summary>As on a machine where libtorch's convolutions are wrong.</summary>
    [Theory]
    [MemberData(nameof(Channels))]
    public void Forward_PaddedChannelsInPoisonedMemory_IsThatOfFloat64(int inChannels, int outChannels, ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        using var padded = ConvolutionCheck.Assume(right: false);
        Check(inChannels, outChannels);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void IsRight_AskedAgain_RemembersTheAnswer(ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        var (images, shape) = (Draw(2, 11, 5, 6), new ConvolutionShape(11, 13, 3, 1, 1));
        var before = ConvolutionCheck.Known;
        var first = ConvolutionCheck.IsRight(images, shape, transposed: false, ConvolutionResults.All);
        var known = ConvolutionCheck.Known;

        Assert.Equal(first, ConvolutionCheck.IsRight(images, shape, transposed: false, ConvolutionResults.All));

        Assert.InRange(known, before, before + 1); // the first level that asks has it checked
        Assert.Equal(known, ConvolutionCheck.Known);
        Assert.Equal(first, ConvolutionCheck.IsRight(Draw(1, 11, 70, 61), shape, transposed: false, ConvolutionResults.All)); // another size is the same question
        Assert.Equal(known, ConvolutionCheck.Known);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void IsRight_AnyMode_LeavesGeneratorModeAndScopeAlone(ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        random.manual_seed(11);
        var expected = rand(8);
        foreach (var gradients in (bool[])[false, true])
        {
            random.manual_seed(11);
            using var mode = set_grad_enabled(gradients);
            var images = zeros(1, 17, 4, 4);
            var shape = new ConvolutionShape(17, 19 + (int)level, 3, gradients ? 1 : 2, 1); // not asked before
            using (var scope = NewDisposeScope())
            {
                ConvolutionCheck.IsRight(images, shape, transposed: false, ConvolutionResults.All);

                Assert.Equal(0, scope.DisposablesCount);
            }

            Assert.Equal(gradients, is_grad_enabled());
            TensorAssert.Identical(expected, rand(8), "what the global generator draws");
        }
    }

    [Fact]
    public void IsRight_NoImages_AnswersForOne()
    {
        var shape = new ConvolutionShape(11, 13, 3, 1, 1);

        Assert.Equal(
            ConvolutionCheck.IsRight(zeros(1, 11, 5, 6), shape, transposed: false, ConvolutionResults.All), ConvolutionCheck.IsRight(zeros(0, 11, 5, 6), shape, transposed: false, ConvolutionResults.All));
    }

    [Fact]
    public void Assume_WithinAnother_GivesItsAnswerUntilItIsDisposed()
    {
        var (images, shape) = (zeros(1, 11, 5, 6), new ConvolutionShape(11, 13, 3, 1, 1));
        bool Answer() => ConvolutionCheck.IsRight(images, shape, transposed: false, ConvolutionResults.All);
        var known = Answer();

        using (ConvolutionCheck.Assume(right: false))
        {
            Assert.False(Answer());
            Assert.Equal((5, 3), ChannelPadding.Missing(images, shape, transposed: false, ConvolutionResults.All));
            using (ConvolutionCheck.Assume(right: true))
            {
                Assert.True(Answer());
                Assert.Equal((0, 0), ChannelPadding.Missing(images, shape, transposed: false, ConvolutionResults.All));
            }

            Assert.False(Answer());
        }

        Assert.Equal(known, Answer());
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private void Check(int inChannels, int outChannels)
    {
        foreach (var (kernel, stride, padding, transposed) in ((int, int, int, bool)[])[(3, 1, 1, false), (3, 2, 1, false), (4, 2, 1, true), (2, 2, 0, false)])
        {
            foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
            {
                foreach (var channelsLast in (bool[])[false, true])
                {
                    using var scope = NewDisposeScope();
                    var shape = new ConvolutionShape(inChannels, outChannels, kernel, stride, padding);
                    var layer = new Parameters(_generator).Convolution(inChannels, outChannels, kernel, stride, padding, transposed: transposed);
                    Tensor[] leaves = [.. new[] { MemoryLayout.Dense(Draw(3, inChannels, 9, 6), channelsLast), layer.Weight, layer.Bias! }.Select(tensor => tensor.detach().to(type).requires_grad_())];
                    var (h, w) = transposed ? (shape.TransposedOutputSize(9), shape.TransposedOutputSize(6)) : (shape.OutputSize(9), shape.OutputSize(6));
                    var direction = Draw(3, outChannels, h, w).to(type);
                    void Poison() => MemoryPoison.Fill([.. leaves.Append(direction).SelectMany(tensor => (long[])[2 * tensor.numel(), 4 * tensor.numel()]), 4 * ChannelPadding.Round(inChannels) * ChannelPadding.Round(outChannels) * kernel * kernel]);
                    var what = $"{shape}, transposed {transposed}, {type}, channels-last {channelsLast}";

                    Poison();
                    Tensor alone;
                    using (no_grad())
                    {
                        alone = PlainConvolution.Forward(leaves[0], leaves[1], leaves[2], shape, transposed);
                    }

                    Poison();
                    var output = PlainConvolution.Forward(leaves[0], leaves[1], leaves[2], shape, transposed);
                    var gradients = autograd.grad([output], leaves, [direction]);

                    using var none = no_grad();
                    Tensor[] wide = [.. leaves.Select(leaf => leaf.to(ScalarType.Float64))];
                    var exact = ConvolutionReference.Run(wide[0], wide[1], wide[2], direction.to(ScalarType.Float64), shape, transposed);
                    foreach (var (actual, expected) in ((Tensor, Tensor)[])[(alone, exact.Output), (output, exact.Output), (gradients[0], exact.InputGradient), (gradients[1], exact.WeightGradient), (gradients[2], exact.BiasGradient)])
                    {
                        var error = KernelComparison.Error(actual.detach(), expected, 0.1);
                        Assert.True(error <= KernelComparison.Tolerance(type), $"{what}: off by {error:g3}.");
                    }
                }
            }
        }
    }

    private Tensor Draw(params long[] shape) => randn(shape, generator: _generator);
}
