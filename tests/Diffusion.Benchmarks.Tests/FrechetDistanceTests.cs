using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks.Tests;

/// <summary>The distance of Gaussians against closed forms, and of sets of features.</summary>
public sealed class FrechetDistanceTests : IDisposable
{
    private const int Digits = 9;

    private readonly DisposeScope _scope = NewDisposeScope();

    public void Dispose() => _scope.Dispose();

    [Fact]
    public void OfGaussians_DiagonalCovariances_IsTheClosedForm()
    {
        double[] first = [4, 0.25, 9, 0], second = [1, 2.25, 9, 4];
        var (mean, other) = (tensor(new double[] { 1, 0, -2, 3 }), tensor(new double[] { 0, 2, -2, 3.5 }));

        var distance = FrechetDistance.OfGaussians(mean, diag(tensor(first)), other, diag(tensor(second)));

        const double means = 1 + 4 + 0.25;
        Assert.Equal(means + first.Zip(second, (a, b) => Math.Pow(Math.Sqrt(a) - Math.Sqrt(b), 2)).Sum(), distance, Digits);
    }

    /// <summary>Of a 2×2 matrix with eigenvalues a and b, √a + √b = √(a + b + 2 √(a b)): trace and determinant of Σ₁Σ₂ say it all.</summary>
    [Fact]
    public void OfGaussians_TwoThatDoNotCommute_IsWhatTraceAndDeterminantSay()
    {
        var (first, second) = (tensor(new double[,] { { 2, 1 }, { 1, 2 } }), tensor(new double[,] { { 1, 0 }, { 0, 4 } }));
        var zero = zeros(2, ScalarType.Float64);

        var distance = FrechetDistance.OfGaussians(zero, first, zero, second);

        Assert.Equal(4 + 5 - (2 * Math.Sqrt(10 + (2 * Math.Sqrt(12)))), distance, Digits);
    }

    /// <summary>For Σ₁ = A² and Σ₂ = A⁻¹ M² A⁻¹ the root of Σ₁^½ Σ₂ Σ₁^½ is M.</summary>
    [Fact]
    public void OfGaussians_ThreeThatDoNotCommute_UsesTheRootItWasMadeFrom()
    {
        var a = tensor(new double[,] { { 2, 1, 0 }, { 1, 2, 1 }, { 0, 1, 2 } });
        var inverse = tensor(new double[,] { { 3, -2, 1 }, { -2, 4, -2 }, { 1, -2, 3 } }) / 4;
        var m = tensor(new double[,] { { 3, 0, 1 }, { 0, 1, 0 }, { 1, 0, 2 } });
        var (first, second) = (a.matmul(a), inverse.matmul(m).matmul(m).matmul(inverse));
        var zero = zeros(3, ScalarType.Float64);

        var distance = FrechetDistance.OfGaussians(zero, first, zero, second);

        Assert.Equal(first.trace().item<double>() + second.trace().item<double>() - (2 * (3 + 1 + 2)), distance, Digits);
    }

    /// <summary>Shifted by v and scaled by s, a set is |v|² + (s − 1)² tr Σ from itself when its mean is 0.</summary>
    [Fact]
    public void Between_ASetAndItShiftedAndScaled_IsTheClosedForm()
    {
        var features = Normal(200, 8, 1);
        var centred = features - features.mean([0]);
        var total = centred.square().sum().item<double>() / 199;

        var distance = FrechetDistance.Between(centred, (centred * 3) + 0.5);

        Assert.Equal((8 * 0.25) + (4 * total), distance, Digits);
    }

    [Fact]
    public void Between_TheSameSet_IsZero() => Assert.Equal(0, FrechetDistance.Between(Normal(100, 16, 2), Normal(100, 16, 2)), 1e-6);

    [Fact]
    public void Between_TwoSets_IsTheSameBothWays()
    {
        var (first, second) = (Normal(100, 16, 3), Normal(150, 16, 4).matmul(Normal(16, 16, 5)) + 1);
        var distance = FrechetDistance.Between(first, second);
        Assert.True(distance > 1);
        Assert.Equal(distance, FrechetDistance.Between(second, first), 1e-9 * distance);
    }

    [Theory]
    [InlineData(16, 17)]
    [InlineData(17, 16)]
    public void Between_NotMoreImagesThanFeatures_IsRefused(int first, int second)
    {
        var error = Assert.Throws<ArgumentException>(() => FrechetDistance.Between(Normal(first, 16, 1), Normal(second, 16, 2)));
        Assert.Contains("more than 16 images; there are 16", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Between_OtherNumbersOfFeatures_IsRefused() =>
        Assert.Throws<ArgumentException>(() => FrechetDistance.Between(Normal(20, 4, 1), Normal(20, 5, 2)));

    private static Tensor Normal(int images, int count, ulong seed)
    {
        using var generator = new Generator(seed, CPU);
        return randn([images, count], ScalarType.Float64, generator: generator);
    }
}
