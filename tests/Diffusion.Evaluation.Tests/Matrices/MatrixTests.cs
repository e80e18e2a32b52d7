using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>Eigenvalues, singular values and factors against libtorch's, and where they are known.</summary>
public sealed class MatrixTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(17)]
    [InlineData(100)]
    public void Eigenvalues_OfRandomMatrices_AreThoseOfTorch(int n)
    {
        var draws = TestFeatures.Normal(n, n, n);
        var matrix = draws.Plus(draws.t());
        var expected = linalg.eigvalsh(matrix).Doubles();
        var actual = SymmetricEigenvalues.Of(matrix.Doubles(), n);
        Assert.All(expected.Zip(actual), pair => Assert.Equal(pair.First, pair.Second, 1e-13 * n));
    }

    [Theory]
    [InlineData(0.0)]
    [InlineData(1e-200)]
    [InlineData(1e200)]
    public void Eigenvalues_OfADiagonal_AreIt(double scale)
    {
        double[] variances = [3 * scale, 0, 1 * scale, 1 * scale, 2 * scale];
        var matrix = diag(tensor(variances, dtype: ScalarType.Float64)).Doubles();
        Assert.Equal([0, 1 * scale, 1 * scale, 2 * scale, 3 * scale], SymmetricEigenvalues.Of(matrix, 5));
    }

    // 1 and −1, and what shifts find hard: equal numbers beside a diagonal of 0.
    [Fact]
    public void Eigenvalues_OfAChain_AreTheCosines()
    {
        const int N = 40;
        var matrix = new double[N * N];
        for (var i = 0; i < N - 1; i++)
        {
            (matrix[(i * N) + i + 1], matrix[((i + 1) * N) + i]) = (1, 1);
        }

        double[] expected = [.. Enumerable.Range(1, N).Select(k => 2 * Math.Cos(Math.PI * k / (N + 1))).Order()];
        Assert.All(expected.Zip(SymmetricEigenvalues.Of(matrix, N)), pair => Assert.Equal(pair.First, pair.Second, 1e-14));
    }

    [Theory]
    [InlineData(1, 1)]
    [InlineData(5, 1)]
    [InlineData(2, 2)]
    [InlineData(30, 30)]
    [InlineData(60, 21)]
    public void SingularValues_OfRandomMatrices_HaveTheSumOfTorch(int rows, int columns)
    {
        var matrix = TestFeatures.Normal(rows, rows, columns);
        var expected = linalg.svdvals(matrix).sum().item<double>();
        Assert.Equal(expected, SingularValues.Sum(matrix.Doubles(), rows, columns), 1e-13 * rows);
    }

    [Fact]
    public void SingularValues_OfAMatrixOfRankOne_AreOne()
    {
        var matrix = TestFeatures.Normal(1, 20, 1).mm(TestFeatures.Normal(2, 1, 12));
        Assert.Equal(matrix.pow(Scalars.Two).sum().sqrt().item<double>(), SingularValues.Sum(matrix.Doubles(), 20, 12), 1e-13);
        Assert.Equal(0, SingularValues.Sum(new double[20 * 12], 20, 12));
    }

    [Theory]
    [InlineData(30, 10, 10)]
    [InlineData(8, 20, 7)]
    [InlineData(2, 20, 1)]
    public void Factor_OfACovariance_HasItsRank(int images, int features, int rank)
    {
        using var statistics = FeatureStatistics.Of(TestFeatures.Normal(1, images, features), "set");
        Assert.Equal(rank, statistics.Factor.Rank);
        Assert.Equal(statistics.Covariance.trace().item<double>(), statistics.Factor.TraceOfRoot(statistics.Factor), 1e-12);
    }

    [Fact]
    public void Factor_OfNoVariance_HasRankZero()
    {
        var factor = CovarianceFactor.Of(new double[9], 3)!;
        Assert.Equal(0, factor.Rank);
        Assert.Equal(0, factor.TraceOfRoot(factor));
    }

    public void Dispose() => _scope.Dispose();
}
