using Diffusion.Kernels;
using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Models.Tests;

/// <summary>A module that is moved to another type between the forward and the backward pass: the gradients are those of the weights of the forward pass, or there is an error, never other numbers.</summary>
public sealed class MovedModuleTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(43, CPU);

    public static TheoryData<string, ScalarType, ComputePrecision> Cases()
    {
        var cases = new TheoryData<string, ScalarType, ComputePrecision>();
        foreach (var name in (string[])["residual", "attention", "convolution", "pointwise", "transposed", "linear", "norm and convolution", "strided norm and convolution"])
        {
            foreach (var type in (ScalarType[])[ScalarType.BFloat16, ScalarType.Float64])
            {
                cases.Add(name, type, ComputePrecision.Float32);
                cases.Add(name, type, ComputePrecision.BFloat16);
            }
        }

        return cases;
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Backward_AfterTheModuleMoved_GivesTheGradientsOfTheForwardPassOrAnError(string name, ScalarType type, ComputePrecision precision)
    {
        var (modules, run, shape) = Of(name);
        var input = randn(shape, generator: _generator);
        var expected = Gradient(() => { });
        for (var repeat = 0; repeat < 3; repeat++)
        {
            Tensor? actual = null;
            Exception? error = null;
            try
            {
                actual = Gradient(() => Array.ForEach(modules, module => module.to(type)));
            }
            catch (Exception thrown)
            {
                error = thrown;
            }

            Array.ForEach(modules, module => module.to(ScalarType.Float32));
            Assert.True(actual is null ? error is not null : KernelComparison.Error(actual, expected.to(ScalarType.Float64)) < 1e-5, $"{error?.GetType().Name ?? "other gradients"}");
            TestContext.Current.TestOutputHelper!.WriteLine(error is null ? "the same gradients" : $"{error.GetType().Name}: {BackwardPass.Failure?.Message ?? error.Message}");
            if (type == ScalarType.BFloat16)
            {
                expected = Gradient(() => { }); // of the rounded weights
            }
        }

        Tensor Gradient(Action between)
        {
            var entering = input.detach().requires_grad_();
            Tensor output;
            using (MixedPrecision.Use(precision))
            {
                output = run(entering).to(ScalarType.Float32);
            }

            between();
            Diffusion.MemoryPoison.Spread();
            output.square().sum().backward();
            return entering.grad!;
        }
    }

    public void Dispose()
    {
        _generator.Dispose();
        _scope.Dispose();
    }

    private (nn.Module[] Modules, Func<Tensor, Tensor> Run, long[] Shape) Of(string name)
    {
        long[] images = [4, 32, 12, 12];
        var (options, time) = (new UNetOptions { TimeDimension = 32, ZeroInitialize = false }, randn([4, 32], generator: _generator));
        var (norm, convolution, strided) = (new GroupNorm(8, 32), new Conv2d(32, 64, 3, padding: 1, generator: _generator), new Conv2d(32, 32, 3, stride: 2, padding: 1, generator: _generator));
        switch (name)
        {
            case "residual":
                var residual = new ResidualBlock(32, 64, options, _generator);
                return ([residual], x => residual.call(x, time), images);
            case "attention":
                var attention = new SelfAttention(32, 2, options, _generator);
                return ([attention], attention.call, images);
            case "convolution":
                return ([convolution], convolution.call, images);
            case "pointwise":
                var pointwise = new Conv2d(32, 64, 1, generator: _generator);
                return ([pointwise], pointwise.call, images);
            case "transposed":
                var transposed = new ConvTranspose2d(32, 32, 4, stride: 2, padding: 1, generator: _generator);
                return ([transposed], transposed.call, images);
            case "linear":
                var linear = new Linear(32, 64, generator: _generator);
                return ([linear], linear.call, [4, 36, 32]);
            case "norm and convolution":
                return ([norm, convolution], x => Functional.NormSiluConv2d(x, norm.Parameters, convolution.Parameters), images);
            default:
                return ([norm, strided], x => Functional.NormConv2d(x, norm.Parameters, static (normed, _) => nn.functional.silu(normed), strided.Parameters), images);
        }
    }
}
