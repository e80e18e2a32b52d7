using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

/// <summary>Every operation at every level of the processor, in both precisions: the same numbers within the same tolerances, whichever kernel computes them.</summary>
public sealed class FunctionalTests : IDisposable
{
    /// <summary>What a smaller root of the mean square counts as: a few numbers may be near 0 by chance.</summary>
    private const double Typical = 0.1;

    /// <summary>Below it, a gradient is 0 but for the rounding of float64: of what a softmax or a norm takes out. Its size is then that of the largest other.</summary>
    private const double Nothing = 1e-9;

    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(29, CPU);
    private readonly int _threads = get_num_threads();

    /// <summary>Images, height, width: one pixel, tiles that are not full, no square, more images than one, and enough of both for every kernel.</summary>
    private static readonly (int Images, int Height, int Width)[] s_sizes = [(3, 1, 1), (3, 2, 3), (1, 7, 5), (5, 12, 12), (3, 8, 16), (1, 33, 47)];

    public static TheoryDataRow[] Cases { get; } = Levels.Rows(Levels.All, FunctionalCases.All.Select(x => x.Name));

    public static TheoryDataRow[] Tiles { get; } = Levels.Rows(Levels.WithTiles, FunctionalCases.All.Where(x => x.OnTiles).Select(x => x.Name));

    /// <summary>With convolutions whose channels may be padded.</summary>
    public static TheoryData<string> Padded { get; } = [.. FunctionalCases.All.Select(x => x.Name).Where(name => name.Contains("onvolution", StringComparison.Ordinal) || name.Contains("residual", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Cases))]
    public void Operation_AnySize_GivesTheOutputAndTheGradientsOfFloat64(string name, ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        var operation = FunctionalCases.Of(name);
        foreach (var (images, height, width) in s_sizes)
        {
            foreach (var precision in Enum.GetValues<ComputePrecision>())
            {
                if (operation.Attends && precision == ComputePrecision.BFloat16 && height * width > 1000)
                {
                    continue;
                }

                using var scope = NewDisposeScope();
                var sources = Sources(operation, images, height, width, precision);
                var (expected, direction) = Exact(operation, sources);
                MemoryPoison.Fill([.. sources.Append(expected[0]).Select(tensor => sizeof(float) * tensor.numel())]);

                var output = Run(operation, sources, precision);
                var gradients = Gradients.Of(output, sources, direction.to(output.dtype));

                Assert.Equal(sources[0].dtype, output.dtype);
                Check($"{images}×{height}×{width} in {precision}", expected, [output, .. gradients], operation.Roundings * KernelComparison.Tolerance(output.dtype));

                using var none = no_grad();
                Check($"{images}×{height}×{width} in {precision} without gradients", expected[..1], [Run(operation, sources, precision)], operation.Roundings * KernelComparison.Tolerance(output.dtype));
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Operation_GradientsOfGradients_AreThoseOfFloat64(string name, ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        var operation = FunctionalCases.Of(name);
        foreach (var (images, height, width) in ((int, int, int)[])[(2, 5, 3), (4, 12, 12)])
        {
            foreach (var precision in Enum.GetValues<ComputePrecision>())
            {
                using var scope = NewDisposeScope();
                var sources = Sources(operation, images, height, width, precision);
                var exact = Wide(sources);
                var direction = Direction(operation.Formula(exact));
                var expected = Second(operation.Formula(exact), exact, direction);

                var actual = Second(Run(operation, sources, precision), sources, direction);

                Check($"{images}×{height}×{width} in {precision}", [zeros(1, dtype: ScalarType.Float64), .. expected], [zeros(1), .. actual], 5 * operation.Roundings * KernelComparison.Tolerance(sources[0].dtype));
            }
        }
    }

    /// <summary>As on a machine where libtorch's convolutions are wrong.</summary>
    [Theory]
    [MemberData(nameof(Padded))]
    public void Operation_ChannelsPadded_GivesOutputGradientsAndTheirGradientsOfFloat64(string name)
    {
        using var padded = ConvolutionCheck.Assume(right: false);
        Operation_AnySize_GivesTheOutputAndTheGradientsOfFloat64(name, ProcessorLevel.Plain);
        Operation_GradientsOfGradients_AreThoseOfFloat64(name, ProcessorLevel.Plain);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Operation_WalkedTwice_GivesTheSameGradientsTwice(string name, ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        var operation = FunctionalCases.Of(name);
        foreach (var precision in Enum.GetValues<ComputePrecision>())
        {
            var sources = Sources(operation, 4, 12, 12, precision);
            var output = Run(operation, sources, precision);
            var direction = Direction(output).to(output.dtype);

            var first = Gradients.Of(output, sources, direction, again: true);
            Diffusion.MemoryPoison.Spread();
            var second = Gradients.Of(output, sources, direction);

            Assert.All(first.Zip(second), pair => TensorAssert.Identical(pair.First, pair.Second, $"{precision}"));
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Operation_OneFrozenTensor_GivesTheOthersTheSameGradients(string name, ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        var operation = FunctionalCases.Of(name);
        foreach (var precision in Enum.GetValues<ComputePrecision>())
        {
            var sources = Sources(operation, 4, 12, 12, precision);
            var direction = Direction(Run(operation, sources, precision));
            var all = All(sources);
            for (var frozen = 0; frozen < sources.Length && sources.Length > 1; frozen++)
            {
                using var scope = NewDisposeScope();
                Tensor[] some = [.. sources.Select((source, i) => source.detach().requires_grad_(i != frozen))];
                var gradients = All(some);
                for (var i = 0; i < some.Length; i++)
                {
                    if (i != frozen)
                    {
                        Assert.InRange(KernelComparison.Error(gradients[i], all[i].to(ScalarType.Float64), Typical), 0, KernelComparison.Tolerance(sources[0].dtype)); // another kernel may run
                    }
                }
            }

            Tensor[] All(Tensor[] leaves)
            {
                var output = Run(operation, leaves, precision);
                var found = new Queue<Tensor>(Gradients.Of(output, [.. leaves.Where(leaf => leaf.requires_grad)], direction.to(output.dtype)));
                return [.. leaves.Select(leaf => leaf.requires_grad ? found.Dequeue() : zeros(1))];
            }
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Operation_NoImages_GivesAnEmptyOutputAndGradientsOfZero(string name, ProcessorLevel level)
    {
        using var used = Levels.Use(level);
        var operation = FunctionalCases.Of(name);
        foreach (var precision in Enum.GetValues<ComputePrecision>())
        {
            var sources = Sources(operation, 0, 12, 12, precision);
            var expected = operation.Formula(Wide(Sources(operation, 1, 12, 12, precision)));
            MemoryPoison.Fill([.. sources.Select(source => sizeof(float) * source.numel())]);

            var output = Run(operation, sources, precision);
            var gradients = Gradients.Of(output.sum(), sources);

            Assert.Equal([0, .. expected.shape[1..]], output.shape);
            Assert.All(sources.Zip(gradients), pair => Assert.Equal(pair.First.shape, pair.Second.shape));
            Assert.All(gradients, gradient => Assert.Equal(0, gradient.to(ScalarType.Float32).abs().sum().item<float>()));
        }
    }

    [Theory]
    [MemberData(nameof(Tiles))]
    public void Operation_OtherNumberOfThreads_GivesTheSameBits(string name, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var operation = FunctionalCases.Of(name);
        foreach (var precision in Enum.GetValues<ComputePrecision>())
        {
            foreach (var (images, height, width) in ((int, int, int)[])[(5, 13, 14), (1, 12, 12)])
            {
                using var scope = NewDisposeScope();
                var sources = Sources(operation, images, height, width, precision);
                var direction = Direction(Run(operation, sources, precision));
                set_num_threads(1);
                var one = All();
                foreach (var threads in (int[])[2, 3, 2, 3])
                {
                    set_num_threads(threads);
                    Assert.All(one.Zip(All()).Index(), pair => TensorAssert.Identical(pair.Item.First, pair.Item.Second, $"tensor {pair.Index} of {precision} with {threads} threads"));
                }

                Tensor[] All()
                {
                    var output = Run(operation, sources, precision);
                    var gradients = Gradients.Of(output, sources, direction.to(output.dtype));
                    using var none = no_grad();
                    return [output.detach(), .. gradients, Run(operation, sources, precision)];
                }
            }
        }
    }

    public void Dispose()
    {
        set_num_threads(_threads);
        _generator.Dispose();
        _scope.Dispose();
    }

    private static Tensor Run(FunctionalCase operation, Tensor[] sources, ComputePrecision precision)
    {
        using var chosen = MixedPrecision.Use(precision);
        return operation.Run(sources);
    }

    private static Tensor[] Wide(Tensor[] sources) => [.. sources.Select(source => source.detach().to(ScalarType.Float64).requires_grad_())];

    private static Tensor[] Second(Tensor output, Tensor[] sources, Tensor direction)
    {
        var first = Gradients.Of(output, [sources[0]], direction.to(output.dtype), differentiable: true)[0];
        return Gradients.Of(first.to(direction.dtype).square().sum() + (0 * output.to(direction.dtype).sum()), sources); // an operation that is linear has a first derivative of its weight alone
    }

    /// <param name="what">The case.</param>
    /// <param name="expected">An output, and gradients.</param>
    /// <param name="actual">The same, of a kernel.</param>
    /// <param name="allowed">The largest error.</param>
    private static void Check(string what, Tensor[] expected, Tensor[] actual, double allowed)
    {
        double[] sizes = [.. expected.Select(tensor => tensor.norm().item<double>() / Math.Sqrt(tensor.numel()))];
        for (var i = 0; i < expected.Length; i++)
        {
            var typical = i == 0 ? Typical : sizes[i] < Nothing ? Math.Max(Typical, sizes.Skip(1).Max()) : Typical;
            var error = KernelComparison.Error(actual[i].detach(), expected[i].detach(), typical);
            Assert.True(error <= allowed, $"{what}: tensor {i} is off by {error:g3}, allowed {allowed}.");
        }
    }

    /// <summary>The output, the gradients, and what these are of: ⟨output, direction⟩.</summary>
    private (Tensor[] Results, Tensor Direction) Exact(FunctionalCase operation, Tensor[] sources)
    {
        var exact = Wide(sources);
        var output = operation.Formula(exact);
        var direction = Direction(output);
        return ([output, .. Gradients.Of(output, exact, direction)], direction);
    }

    /// <summary>Values that are bfloat16 already, so that their rounding is nobody's error.</summary>
    private Tensor Direction(Tensor output) => randn(output.shape, generator: _generator).to(ScalarType.BFloat16).to(ScalarType.Float64);

    /// <summary>Inputs, in bfloat16 where the precision and the processor use it, and what layers drew.</summary>
    private Tensor[] Sources(FunctionalCase operation, int images, int height, int width, ComputePrecision precision)
    {
        var type = precision == ComputePrecision.BFloat16 && Processor.UsesBFloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        return [.. operation.Inputs(images, height, width).Select(shape => randn(shape, generator: _generator).to(type).requires_grad_()), .. operation.Layers(new Parameters(_generator), images)];
    }
}
