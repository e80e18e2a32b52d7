using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>The float64 reference itself, against loops over every index written down from the definition of a convolution.</summary>
public sealed class ConvolutionReferenceTests : IDisposable
{
    private const double Tolerance = 1e-12;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(5, CPU);

    public static TheoryData<int, int, int> Kernels => new() { { 1, 1, 0 }, { 1, 2, 0 }, { 2, 2, 0 }, { 3, 1, 1 }, { 3, 2, 0 }, { 3, 2, 1 }, { 4, 1, 1 }, { 4, 2, 1 } };

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Forward_AnyKernel_EqualsTheDefinition(int kernel, int stride, int padding)
    {
        var shape = new ConvolutionShape(3, 5, kernel, stride, padding);
        var edge = shape.OutputSize(7);
        var (x, otherX) = (Draw(2, 3, 7, 7), Draw(2, 3, 7, 7));
        var (w, otherW) = (Draw(5, 3, kernel, kernel), Draw(5, 3, kernel, kernel));
        var (bias, direction) = (Draw(5), Draw(2, 5, edge, edge));

        var results = ConvolutionReference.Forward(x, w, bias, direction, shape);

        AssertClose(ByDefinition(x, w, shape) + bias.view(-1, 1, 1), results.Output);
        AssertClose(results.Output, ConvolutionReference.Output(x, w, bias, shape, transposed: false));
        // The map is linear in x and in w, so its gradients are its adjoints: ⟨∂x, x'⟩ = ⟨d, w ∗ x'⟩ for every x'.
        AssertClose((direction * ByDefinition(otherX, w, shape)).sum(), (results.InputGradient * otherX).sum());
        AssertClose((direction * ByDefinition(x, otherW, shape)).sum(), (results.WeightGradient * otherW).sum());
        AssertClose(direction.sum([0, 2, 3]), results.BiasGradient);
    }

    [Theory]
    [MemberData(nameof(Kernels))]
    public void Transposed_AnyKernel_EqualsTheDefinition(int kernel, int stride, int padding)
    {
        var shape = new ConvolutionShape(3, 5, kernel, stride, padding);
        var edge = shape.TransposedOutputSize(7);
        var (x, otherX) = (Draw(2, 3, 7, 7), Draw(2, 3, 7, 7));
        var (w, otherW) = (Draw(3, 5, kernel, kernel), Draw(3, 5, kernel, kernel));
        var (bias, direction) = (Draw(5), Draw(2, 5, edge, edge));

        var results = ConvolutionReference.Transposed(x, w, bias, direction, shape);

        AssertClose(TransposedByDefinition(x, w, shape) + bias.view(-1, 1, 1), results.Output);
        AssertClose(results.Output, ConvolutionReference.Output(x, w, bias, shape, transposed: true));
        AssertClose((direction * TransposedByDefinition(otherX, w, shape)).sum(), (results.InputGradient * otherX).sum());
        AssertClose((direction * TransposedByDefinition(x, otherW, shape)).sum(), (results.WeightGradient * otherW).sum());
        AssertClose(direction.sum([0, 2, 3]), results.BiasGradient);
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private Tensor Draw(params long[] shape) => randn(shape, dtype: ScalarType.Float64, generator: _generator);

    private static void AssertClose(Tensor expected, Tensor actual)
    {
        Assert.Equal(expected.shape, actual.shape);
        var error = (expected - actual).abs().max().item<double>() / Math.Max(1, expected.abs().max().item<double>());
        Assert.True(error <= Tolerance, $"off by {error}");
    }

    /// <summary>y[b, o, i, j] = Σ x[b, c, i·s + u − p, j·s + v − p] · w[o, c, u, v].</summary>
    private static Tensor ByDefinition(Tensor x, Tensor w, ConvolutionShape shape)
    {
        var (batch, size, edge) = ((int)x.shape[0], (int)x.shape[2], (int)shape.OutputSize(x.shape[2]));
        var y = new double[batch, shape.OutChannels, edge, edge];
        var (xs, ws) = (Values(x), Values(w));
        foreach (var (b, o, i, j, c, u, v) in Terms(batch, shape, edge))
        {
            var (row, column) = ((i * shape.Stride) + u - shape.Padding, (j * shape.Stride) + v - shape.Padding);
            if (row >= 0 && row < size && column >= 0 && column < size)
            {
                y[b, o, i, j] += xs[b, c, row, column] * ws[o, c, u, v];
            }
        }

        return from_array(y);
    }

    /// <summary>Each x[b, c, i, j] adds x · w[c, o, u, v] to y[b, o, i·s + u − p, j·s + v − p].</summary>
    private static Tensor TransposedByDefinition(Tensor x, Tensor w, ConvolutionShape shape)
    {
        var (batch, size, edge) = ((int)x.shape[0], (int)x.shape[2], (int)shape.TransposedOutputSize(x.shape[2]));
        var y = new double[batch, shape.OutChannels, edge, edge];
        var (xs, ws) = (Values(x), Values(w));
        foreach (var (b, o, i, j, c, u, v) in Terms(batch, shape, size))
        {
            var (row, column) = ((i * shape.Stride) + u - shape.Padding, (j * shape.Stride) + v - shape.Padding);
            if (row >= 0 && row < edge && column >= 0 && column < edge)
            {
                y[b, o, row, column] += xs[b, c, i, j] * ws[c, o, u, v];
            }
        }

        return from_array(y);
    }

    private static IEnumerable<(int B, int O, int I, int J, int C, int U, int V)> Terms(int batch, ConvolutionShape shape, int edge) =>
        from b in Enumerable.Range(0, batch)
        from o in Enumerable.Range(0, shape.OutChannels)
        from i in Enumerable.Range(0, edge)
        from j in Enumerable.Range(0, edge)
        from c in Enumerable.Range(0, shape.InChannels)
        from u in Enumerable.Range(0, shape.Kernel)
        from v in Enumerable.Range(0, shape.Kernel)
        select (b, o, i, j, c, u, v);

    private static double[,,,] Values(Tensor tensor) => (double[,,,])tensor.data<double>().ToNDArray();
}
