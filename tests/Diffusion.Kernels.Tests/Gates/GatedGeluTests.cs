using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Kernels.Tests;

public sealed class GatedGeluTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();
    private readonly Generator _generator = new(3, CPU);
    private readonly int _threads = get_num_threads();

    /// <summary>Rows, and values of a row: less than a vector, a rest, more rows than one thread does at once.</summary>
    public static TheoryDataRow[] Sizes { get; } = Levels.Rows(Levels.WithTiles, (1, 1), (3, 15), (5, 33), (1, 20000), (700, 64));

    public static TheoryDataRow[] EachLevel { get; } = [.. Levels.WithTiles.Select(level => new TheoryDataRow(level))];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Of_AnySize_GivesTheOutputAndTheGradientOfFloat64(int rows, int width, ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        foreach (var type in (ScalarType[])[ScalarType.Float32, ScalarType.BFloat16])
        {
            var halves = (3 * randn([rows, 2 * width], generator: _generator)).to(type).requires_grad_();
            var direction = randn([rows, width], generator: _generator).to(type);
            var exact = halves.detach().to(ScalarType.Float64).requires_grad_();
            var expected = Formulas.GatedGelu(exact);
            var expectedGradient = Gradients.Of(expected, [exact], direction.to(ScalarType.Float64))[0];
            Diffusion.MemoryPoison.Spread();

            var output = GatedGelu.Of(halves);
            var gradient = Gradients.Of(output, [halves], direction)[0];

            Assert.Equal(type, output.dtype);
            var allowed = type == ScalarType.Float32 ? 5e-7 : 8e-3;
            Assert.InRange(KernelComparison.Error(output, expected.detach(), typical: 1), 0, allowed);
            Assert.InRange(KernelComparison.Error(gradient, expectedGradient, typical: 1), 0, allowed);
            using var none = no_grad();
            TensorAssert.Identical(output.detach(), GatedGelu.Of(halves), "without gradients");
        }
    }

    [Theory]
    [MemberData(nameof(EachLevel))]
    public void Of_EveryGate_IsNear(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var gates = linspace(-30, 30, 200001, ScalarType.Float64);
        var halves = cat([ones_like(gates).unsqueeze(1), gates.unsqueeze(1)], 1).to(ScalarType.Float32).requires_grad_(); // [N, 2]
        var exact = halves.detach().to(ScalarType.Float64).requires_grad_();
        var expected = Formulas.GatedGelu(exact);
        var expectedGradient = Gradients.Of(expected.sum(), [exact])[0];

        var output = GatedGelu.Of(halves);
        var gradient = Gradients.Of(output.sum(), [halves])[0];

        TensorAssert.Close(expected.detach(), output.detach().to(ScalarType.Float64), 6e-7, 2e-7, "output");
        TensorAssert.Close(expectedGradient, gradient.to(ScalarType.Float64), 6e-7, 2e-7, "gradient");
    }

    [Theory]
    [MemberData(nameof(EachLevel))]
    public void Of_InfiniteGatesAndNaN_AreTheLimitsAndNaN(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var halves = tensor(new[,] { { 1, float.PositiveInfinity }, { 1, float.NegativeInfinity }, { 1, float.NaN }, { float.NaN, 1 } }).requires_grad_();

        var output = GatedGelu.Of(halves);
        var gradient = Gradients.Of(output.sum(), [halves])[0];

        TensorAssert.Identical(tensor([float.PositiveInfinity, 0, float.NaN, float.NaN]), Rounded(output.detach().flatten()), "output");
        TensorAssert.Identical(tensor([1, 0, float.NaN, float.NaN]), Rounded(gradient.select(1, 1)), "gradient");

        static Tensor Rounded(Tensor values) => values + 1 - 1; // what is next to 0 is 0
    }

    [Theory]
    [MemberData(nameof(EachLevel))]
    public void Of_OtherNumberOfThreads_GivesTheSameBits(ProcessorLevel level)
    {
        using var used = Levels.UseTiles(level);
        var halves = randn([700, 130], generator: _generator).requires_grad_();
        var direction = randn([700, 65], generator: _generator);
        set_num_threads(1);
        var one = All();
        foreach (var threads in (int[])[2, 3])
        {
            set_num_threads(threads);
            Assert.All(one.Zip(All()), pair => TensorAssert.Identical(pair.First, pair.Second, $"{threads} threads"));
        }

        Tensor[] All()
        {
            var output = GatedGelu.Of(halves);
            return [output.detach(), .. Gradients.Of(output, [halves], direction)];
        }
    }

    public void Dispose()
    {
        set_num_threads(_threads);
        _generator.Dispose();
        _scope.Dispose();
    }
}
