using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>How many multiply-adds a second the machine does in large matrix products: the roof of networks.</summary>
internal static class GemmRate
{
    /// <summary>Measures.</summary>
    /// <param name="format">The number format.</param>
    /// <param name="size">The products are of square matrices of this size.</param>
    /// <param name="budget">How long to repeat; the fastest counts.</param>
    /// <returns>Multiply-adds a second.</returns>
    public static double Measure(NumberFormat format, int size, TimeSpan budget)
    {
        using var noGradients = no_grad();
        using var scope = NewDisposeScope();
        using var generator = new Generator(1, CPU);
        var type = format == NumberFormat.Fp32 ? ScalarType.Float32 : ScalarType.BFloat16;
        var (left, right) = (randn([size, size], generator: generator).to(type), randn([size, size], generator: generator).to(type));
        var seconds = Interleaved.Seconds(Multiply, warmUps: 2, least: 3, budget, most: 1000);
        return Math.Pow(size, 3) / seconds.Least;

        void Multiply()
        {
            using var inner = NewDisposeScope();
            matmul(left, right);
        }
    }
}
