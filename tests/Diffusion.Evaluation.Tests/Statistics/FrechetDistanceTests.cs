using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

public sealed class FrechetDistanceTests : IDisposable
{
    private readonly DisposeScope _scope = NewDisposeScope();

    /// <summary>Against pytorch-fid, torch-fidelity and clean-fid (tests/golden/README.md).</summary>
    [Theory]
    [InlineData("fid_2048x64", "fid_sqrtm")]
    [InlineData("fid_2048x64", "fid_eig")]
    [InlineData("fid_500x16_1d_shift", "fid_sqrtm")]
    [InlineData("fid_500x16_1d_shift", "fid_eig")]
    [InlineData("fid_rank_deficient_40x48", "fid_sqrtm")]
    [InlineData("fid_rank_deficient_40x48", "fid_eig")]
    [InlineData("fid_three_150_400x24", "eigen_f64")]
    [InlineData("fid_three_150_400x24", "pytorch_fid")]
    [InlineData("fid_three_150_400x24", "clean_fid")]
    [InlineData("fid_three_150_400x24", "torch_fidelity")]
    [InlineData("fid_three_150_400x24", "pytorch_fid_float32")]
    [InlineData("fid_three_150_400x24", "clean_fid_float32")]
    [InlineData("fid_three_150_400x24", "torch_fidelity_float32")]
    [InlineData("fid_three_singular_30x36", "eigen_f64")]
    [InlineData("fid_three_singular_30x36", "pytorch_fid")]
    [InlineData("fid_three_singular_30x36", "clean_fid")]
    [InlineData("fid_three_singular_30x36", "torch_fidelity")]
    [InlineData("fid_three_singular_30x36", "pytorch_fid_float32")]
    [InlineData("fid_three_singular_30x36", "clean_fid_float32")]
    [InlineData("fid_three_singular_30x36", "torch_fidelity_float32")]
    public void Between_OfRecordedFeatures_EqualsTheRecorded(string name, string figure)
    {
        using var golden = Golden.Case($"metrics/{name}");
        using var images = FeatureStatistics.Of(golden["features1"], "images");
        using var reference = FeatureStatistics.Of(golden["features2"], "reference");
        TensorAssert.Close(golden["mu1"], images.Mean, 1e-12, 1e-12, "mu1");
        TensorAssert.Close(golden["mu2"], reference.Mean, 1e-12, 1e-12, "mu2");
        if (golden.Tensors.ContainsKey("sigma1"))
        {
            TensorAssert.Close(golden["sigma1"], images.Covariance, 1e-12, 1e-12, "sigma1");
            TensorAssert.Close(golden["sigma2"], reference.Covariance, 1e-12, 1e-12, "sigma2");
        }

        var expected = golden[figure].item<double>();
        Assert.Equal(expected, FrechetDistance.Between(images, reference).Value, 1e-6 + (1e-6 * Math.Abs(expected)));
    }

    [Theory]
    [InlineData("fid_rank_deficient_40x48", "both covariances are singular: rank 39 and, of the reference, 39 of 48 features")]
    [InlineData("fid_three_singular_30x36", "both covariances are singular: rank 29 and, of the reference, 35 of 36 features")]
    [InlineData("fid_three_150_400x24", null)]
    public void Between_OfRecordedFeatures_SaysTheRank(string name, string? remark)
    {
        using var golden = Golden.Case($"metrics/{name}");
        using var images = FeatureStatistics.Of(golden["features1"], "images");
        using var reference = FeatureStatistics.Of(golden["features2"], "reference");
        var distance = FrechetDistance.Between(images, reference);
        Assert.Equal(remark, distance.Remark);
        if (golden.Json.TryGetProperty("rank", out var ranks))
        {
            Assert.Equal(ranks.EnumerateArray().Select(rank => rank.GetInt32()), [images.Factor.Rank, reference.Factor.Rank]);
        }
    }

    [Theory]
    [InlineData("fid_2048x64")]
    [InlineData("fid_rank_deficient_40x48")]
    [InlineData("fid_three_singular_30x36")]
    public void Between_OfASetAndItself_IsZeroToRounding(string name)
    {
        using var golden = Golden.Case($"metrics/{name}");
        foreach (var features in new[] { golden["features1"], golden["features2"] })
        {
            using var images = FeatureStatistics.Of(features, "images");
            using var again = FeatureStatistics.Of(features.flip(0), "in another order");
            Assert.InRange(FrechetDistance.Between(images, images).Value, 0, 1e-11);
            Assert.InRange(FrechetDistance.Between(images, again).Value, 0, 1e-9);
        }
    }

    [Theory]
    [InlineData(200, 300)]
    [InlineData(5, 300)]
    [InlineData(5, 4)]
    public void Between_OfRotatedFeatures_StaysTheSame(int n, int m)
    {
        var (first, second) = (TestFeatures.Normal(1, n, 12), (TestFeatures.Normal(2, m, 12) * 2.ToScalar()).Plus(Scalars.One));
        var (rotation, _) = linalg.qr(TestFeatures.Normal(3, 12, 12));
        var distance = Distance(first, second);
        Assert.Equal(distance, Distance(first.mm(rotation), second.mm(rotation)), 1e-10 * distance);
        Assert.Equal(distance, Distance(second, first), 1e-10 * distance);
    }

    // Σ₁ and Σ₂ commute: Σ (√a − √b)².
    [Fact]
    public void Between_OfDiagonalCovariances_IsThatOfTheDeviations()
    {
        double[] first = [4, 9, 0, 1e-12, 1e6];
        double[] second = [1, 0, 0, 1e-4, 25];
        using var images = Diagonal(first, [1, 2, 3, 4, 5]);
        using var reference = Diagonal(second, [1, 2, 3, 4, 8]);
        var expected = 9 + first.Zip(second, (a, b) => Math.Pow(Math.Sqrt(a) - Math.Sqrt(b), 2)).Sum();
        var distance = FrechetDistance.Between(images, reference);
        Assert.Equal(expected, distance.Value, 1e-7); // 1e-13 of the largest
        Assert.Null(distance.Bias);
    }

    // The mean of many distances of two sets of one distribution.
    [Theory]
    [InlineData(1000, 1000)]
    [InlineData(600, 2400)]
    public void Bias_OfTwoSetsOfOneDistribution_IsTheirMeanDistance(int n, int m)
    {
        double[] variances = [2, 1.8, 1.5, 1.2, 1, 1, 0.8, 0.7, 0.5, 0.4, 0.2, 0.1];
        using var exact = Diagonal(variances, new double[variances.Length]);
        using var ofImages = new FeatureStatistics(exact.Mean, exact.Covariance, n, "a distribution");
        using var ofReference = new FeatureStatistics(exact.Mean, exact.Covariance, m, "a distribution");
        var bias = FrechetDistance.Between(ofImages, ofReference).Bias!.Value;
        const int Trials = 200;
        var sum = 0.0;
        for (var trial = 0; trial < Trials; trial++)
        {
            sum += Distance(TestFeatures.Gaussian(1000 + (2 * trial), n, variances), TestFeatures.Gaussian(1001 + (2 * trial), m, variances));
        }

        Assert.Equal(bias, sum / Trials, 0.06 * bias);
    }

    [Fact]
    public void Between_OfUnlikeNumbersOfImages_SaysSo()
    {
        using var few = FeatureStatistics.Of(TestFeatures.Normal(1, 100, 3), "few");
        using var many = FeatureStatistics.Of(TestFeatures.Normal(2, 400, 3), "many");
        using var unknown = new FeatureStatistics(many.Mean, many.Covariance, null, "unknown");
        var distance = FrechetDistance.Between(few, many);
        Assert.Equal((100, 400), (distance.Images, distance.ReferenceImages));
        Assert.Contains("(100 images against 400, unlike numbers; bias 0.", distance.ToString(), StringComparison.Ordinal);
        Assert.Contains("(400 images against 400; bias 0.", FrechetDistance.Between(many, many).ToString(), StringComparison.Ordinal);
        Assert.Contains("(an unknown number of images against 400; bias not known)", FrechetDistance.Between(unknown, many).ToString(), StringComparison.Ordinal);
        Assert.Contains("(400 images against an unknown number; bias not known)", FrechetDistance.Between(many, unknown).ToString(), StringComparison.Ordinal);
        Assert.Contains("(unknown numbers of images; bias not known)", FrechetDistance.Between(unknown, unknown).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Text_OfAnEstimate_IsOfNoCulture()
    {
        var before = System.Globalization.CultureInfo.CurrentCulture;
        System.Globalization.CultureInfo.CurrentCulture = CommaCulture.Create();
        try
        {
            var estimate = new DistanceEstimate(12.3456789, 0.123, 0, 10, 10) { Remark = "a remark" };
            Assert.Equal("12.3457 ± 0.12 (10 images against 10; bias 0; a remark)", estimate.ToString());
        }
        finally
        {
            System.Globalization.CultureInfo.CurrentCulture = before;
        }
    }

    [Fact]
    public void Between_OfOtherFeatures_NamesBoth()
    {
        using var three = FeatureStatistics.Of(TestFeatures.Normal(1, 100, 3), "A");
        using var four = FeatureStatistics.Of(TestFeatures.Normal(2, 100, 4), "B");
        Assert.Contains("'A' has 3, the reference 'B' 4", Assert.Throws<ArgumentException>(() => FrechetDistance.Between(three, four)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Between_OfNoCovariance_NamesIt()
    {
        // No two features contradict each other, and the three of them do.
        using var images = FeatureStatistics.Of(TestFeatures.Normal(1, 100, 3), "A");
        using var none = new FeatureStatistics(zeros([3], dtype: ScalarType.Float64), tensor([1, -0.9, -0.9, -0.9, 1, -0.9, -0.9, -0.9, 1], [3, 3]), 10, "B");
        Assert.Contains("The covariance of 'B' is none", Assert.Throws<ArgumentException>(() => FrechetDistance.Between(images, none)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Between_WithOneThreadOrMore_HasTheSameBits()
    {
        var features = TestFeatures.Normal(1, 700, 70);
        var others = TestFeatures.Normal(2, 600, 70);
        var before = get_num_threads();
        try
        {
            set_num_threads(1);
            var one = FrechetDistance.Between(FeatureStatistics.Of(features, "A"), FeatureStatistics.Of(others, "B"));
            set_num_threads(3);
            Assert.Equal(one, FrechetDistance.Between(FeatureStatistics.Of(features, "A"), FeatureStatistics.Of(others, "B")));
        }
        finally
        {
            set_num_threads(before);
        }
    }

    public void Dispose() => _scope.Dispose();

    private static double Distance(Tensor images, Tensor reference)
    {
        using var first = FeatureStatistics.Of(images, "images");
        using var second = FeatureStatistics.Of(reference, "reference");
        return FrechetDistance.Between(first, second).Value;
    }

    private static FeatureStatistics Diagonal(double[] variances, double[] mean) =>
        new(tensor(mean, dtype: ScalarType.Float64), diag(tensor(variances, dtype: ScalarType.Float64)), null, "a distribution");
}
