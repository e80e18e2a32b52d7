using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>Features of sets to test with.</summary>
internal static class TestFeatures
{
    /// <summary>Draws of the standard normal distribution, [images, features], float64.</summary>
    public static Tensor Normal(long seed, int images, int features)
    {
        using var source = NoiseSource.Seeded(seed);
        using var draws = source.Draw([1, images, features], CPU);
        return draws[0].to(ScalarType.Float64);
    }

    /// <summary>Draws whose covariance has the eigenvalues given, in directions of the seed.</summary>
    public static Tensor Gaussian(long seed, int images, params double[] variances)
    {
        using var scope = NewDisposeScope();
        var deviations = tensor(variances, dtype: ScalarType.Float64).sqrt();
        var (rotation, _) = linalg.qr(Normal(seed: 99, variances.Length, variances.Length));
        return (Normal(seed, images, variances.Length) * deviations).mm(rotation).MoveToOuterDisposeScope();
    }

    public static double[] Doubles(this Tensor values) => values.cpu().contiguous().data<double>().ToArray();
}
