using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>
/// Convolutions of which a row or column of the kernel meets nothing but padding: its gradient is 0, and libtorch 2.10 leaves it unwritten in bfloat16. Each is run in memory that held NaN, and compared
/// with float64.
/// </summary>
public sealed class PaddedEdgesTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(31, CPU);

    /// <summary>Kernel, stride, padding.</summary>
    public static TheoryDataRow[] Shapes { get; } = Levels.Rows(Levels.All, (3, 1, 1), (3, 2, 1), (3, 3, 1), (3, 4, 1), (4, 2, 1), (4, 3, 1), (4, 4, 1), (4, 3, 2), (5, 4, 2), (2, 3, 0), (1, 3, 0), (1, 4, 0), (1, 2, 1));

    [Theory]
    [MemberData(nameof(Shapes))]
    public void Convolution_SmallImages_GivesTheOutputAndTheGradientsOfFloat64(int kernel, int stride, int padding, ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        Check(kernel, stride, padding, transposed: false);
    }

    [Theory]
    [MemberData(nameof(Shapes))]
    public void TransposedConvolution_SmallImages_GivesTheOutputAndTheGradientsOfFloat64(int kernel, int stride, int padding, ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        Check(kernel, stride, padding, transposed: true);
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private void Check(int kernel, int stride, int padding, bool transposed)
    {
        var failures = new List<string>();
        foreach (var (height, width) in ((int, int)[])[(1, 1), (2, 1), (5, 1), (1, 2), (2, 2), (7, 2), (3, 3), (3, 1), (1, 3)])
        {
            foreach (var (inChannels, outChannels, padded) in ((int, int, bool)[])[(16, 32, false), (5, 7, false), (5, 7, true)])
            {
                using var assumed = padded ? ConvolutionCheck.Assume(right: false) : null;
                foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
                {
                    var shape = new ConvolutionShape(inChannels, outChannels, kernel, stride, padding);
                    if (transposed ? shape.TransposedOutputSize(Math.Min(height, width)) < 1 : Math.Min(height, width) + (2 * padding) < kernel)
                    {
                        continue; // no output
                    }

                    var errors = Errors(shape, height, width, type, transposed);
                    failures.AddRange(errors.Where(error => !(error.Error <= KernelComparison.Tolerance(type))).Select(error => $"{error.What} of {inChannels}→{outChannels} channels, {height}×{width}, {type}, padded {padded}: {error.Error:g3}"));
                }
            }
        }

        Assert.Empty(failures);
    }

    private (string What, double Error)[] Errors(ConvolutionShape shape, int height, int width, ScalarType type, bool transposed)
    {
        using var scope = NewDisposeScope();
        var layer = new Parameters(_generator).Convolution(shape.InChannels, shape.OutChannels, shape.Kernel, shape.Stride, shape.Padding, transposed: transposed);
        var (input, weight, bias) = (Leaf(randn([3, shape.InChannels, height, width], generator: _generator), type), Leaf(layer.Weight, type), Leaf(layer.Bias!, type));
        var (h, w) = transposed ? (shape.TransposedOutputSize(height), shape.TransposedOutputSize(width)) : (shape.OutputSize(height), shape.OutputSize(width));
        var direction = randn([3, shape.OutChannels, h, w], generator: _generator).to(type);

        void Poison() => MemoryPoison.Fill([.. new[] { input, weight, bias, direction }.SelectMany(tensor => (long[])[2 * tensor.numel(), 4 * tensor.numel()]), 4 * 32 * 32 * shape.Kernel * shape.Kernel]);

        Poison();
        var output = PlainConvolution.Forward(input, weight, bias, shape, transposed);
        output.backward([direction]);

        using var none = no_grad();
        var exact = ConvolutionReference.Run(Wide(input), Wide(weight), Wide(bias), Wide(direction), shape, transposed);
        List<(string, double)> errors =
        [
            ("output", KernelComparison.Error(output, exact.Output, 0.1)), ("input gradient", KernelComparison.Error(input.grad!, exact.InputGradient, 0.1)),
            ("weight gradient", KernelComparison.Error(weight.grad!, exact.WeightGradient, 1)), ("bias gradient", KernelComparison.Error(bias.grad!, exact.BiasGradient, 1)),
        ];
        if (shape.IsPointwise)
        {
            return [.. errors]; // a product of matrices, which has no gradients of its own
        }

        Poison();
        if (!transposed)
        {
            var (ofInput, ofWeight, ofBias) = ConvolutionGradient.Of(direction, input.detach(), weight.detach(), shape);
            errors.AddRange(
            [
                ("own input gradient", KernelComparison.Error(ofInput, exact.InputGradient, 0.1)), ("own weight gradient", KernelComparison.Error(ofWeight, exact.WeightGradient, 1)),
                ("own bias gradient", KernelComparison.Error(ofBias, exact.BiasGradient, 1)),
            ]);
        }
        else if (type == ScalarType.BFloat16 && NarrowConvolution.CanRun(input, layer.Weight, layer.Bias, shape, transposed: true))
        {
            using var gradients = enable_grad();
            var (entering, wide) = (input.detach().requires_grad_(), weight.detach().to(ScalarType.Float32).requires_grad_());
            var narrow = NarrowConvolution.Apply(entering, wide, bias.detach().to(ScalarType.Float32).requires_grad_(), shape, transposed: true);
            var found = autograd.grad([narrow], [entering, wide], [direction]);
            errors.AddRange(
            [
                ("narrow output", KernelComparison.Error(narrow.detach(), exact.Output, 0.1)), ("narrow input gradient", KernelComparison.Error(found[0], exact.InputGradient, 0.1)),
                ("narrow weight gradient", KernelComparison.Error(found[1], exact.WeightGradient, 1)),
            ]);
        }

        return [.. errors];
    }

    private static Tensor Leaf(Tensor values, ScalarType type) => values.detach().to(type).requires_grad_();

    private static Tensor Wide(Tensor values) => values.detach().to(ScalarType.Float64);
}
