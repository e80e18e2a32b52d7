using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>An operator of libtorch that networks use, and whether its bits depend on the number of threads.</summary>
/// <param name="Name">The operator and its shapes.</param>
/// <param name="Shapes">Of its arguments.</param>
/// <param name="Operation">What it makes of them.</param>
internal sealed record ThreadedOperators(string Name, long[][] Shapes, Func<Tensor[], Tensor> Operation)
{
    public static IReadOnlyList<ThreadedOperators> All { get; } =
    [
        new("convolution 3×3, 64→64, 8×28×28", [[8, 64, 28, 28], [64, 64, 3, 3], [64]], x => nn.functional.conv2d(x[0], x[1], x[2], padding: [1, 1])),
        new("convolution 3×3, 64→64, 1×14×14", [[1, 64, 14, 14], [64, 64, 3, 3], [64]], x => nn.functional.conv2d(x[0], x[1], x[2], padding: [1, 1])),
        new("convolution 4×4 stride 2, 64→64, 8×28×28", [[8, 64, 28, 28], [64, 64, 4, 4], [64]], x => nn.functional.conv2d(x[0], x[1], x[2], strides: [2, 2], padding: [1, 1])),
        new("transposed convolution 4×4 stride 2, 64→64, 8×14×14", [[8, 64, 14, 14], [64, 64, 4, 4], [64]], x => nn.functional.conv_transpose2d(x[0], x[1], x[2], strides: [2, 2], padding: [1, 1])),
        new("linear map 128→384, 1568 rows", [[1568, 128], [384, 128], [384]], x => nn.functional.linear(x[0], x[1], x[2])),
        new("linear map 128→256, 64 rows", [[64, 128], [256, 128], [256]], x => nn.functional.linear(x[0], x[1], x[2])),
        new("batched product [32, 196, 32] × [32, 32, 196]", [[32, 196, 32], [32, 32, 196]], x => bmm(x[0], x[1])),
        new("scaled_dot_product_attention, 8×4 heads, 196 tokens of 32", [[8, 4, 196, 32], [8, 4, 196, 32], [8, 4, 196, 32]], x => nn.functional.scaled_dot_product_attention(x[0], x[1], x[2])),
        new("group norm, 8 groups of 64 channels, 8×28×28", [[8, 64, 28, 28], [64], [64]], x => nn.functional.group_norm(x[0], 8, x[1], x[2])),
        new("layer norm of 128 features, 1568 rows", [[1568, 128], [128], [128]], x => nn.functional.layer_norm(x[0], [128], x[1], x[2])),
        new("SiLU, 8×64×28×28", [[8, 64, 28, 28]], x => nn.functional.silu(x[0])),
        new("softmax, 6272 rows of 196", [[6272, 196]], x => nn.functional.softmax(x[0], -1)),
        new("sum of a bias over 8×64×28×28", [[8, 64, 28, 28], [64, 1, 1]], x => x[0].add(x[1])),
        new("mean squared error of 64×1×28×28", [[64, 1, 28, 28], [64, 1, 28, 28]], x => nn.functional.mse_loss(x[0], x[1])),
    ];

    /// <summary>Whether outputs and gradients are equal for all numbers of threads.</summary>
    public bool HasSameBits(IReadOnlyList<int> threads)
    {
        using var scope = NewDisposeScope();
        var before = get_num_threads();
        try
        {
            var results = threads.Select(Results).ToList();
            return results.TrueForAll(result => result.Zip(results[0]).All(pair => pair.First.equal(pair.Second).all().item<bool>()));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    private List<Tensor> Results(int threads)
    {
        set_num_threads(threads);
        using var generator = new Generator(1, CPU);
        var arguments = Shapes.Select(shape => randn(shape, ScalarType.Float32, generator: generator).requires_grad_()).ToArray();
        var output = Operation(arguments);
        output.backward([randn(output.shape, ScalarType.Float32, generator: generator)]);
        return [output.detach(), .. arguments.Select(argument => argument.grad!)];
    }
}
