using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Distances;

/// <summary>Kernel distances against torch-fidelity, clean-fid and clip-mmd (tests/golden/README.md), and against sums over single pairs.</summary>
public class KernelDistanceTests
{
    public static TheoryData<string, string, string> Recorded => new()
    {
        { "kid_400x32", "", "_f64" },
        { "kid_gamma_degree2", "", "_f64" },
        { "kid_poly_rbf_220x16", "poly.", "" },
        { "kid_poly_rbf_220x16", "rbf.", "" },
    };

    [Theory]
    [MemberData(nameof(Recorded))]
    public void OnSubsets_RecordedSubsets_RecordedValues(string name, string prefix, string suffix)
    {
        using var recorded = Golden.Case($"metrics/{name}");
        var kernel = prefix == "rbf." ? FeatureKernel.Gaussian(recorded.Constructor.GetProperty("kid_kernel_rbf_sigma").GetDouble()) : Polynomial(recorded);
        var estimates = KernelDistance.OnSubsets(recorded["features1"], recorded["features2"], new() { Kernel = kernel }, Subsets(recorded, ""));
        using var values = tensor(estimates.Values.ToArray(), dtype: ScalarType.Float64);
        TensorAssert.Close(recorded[$"{prefix}mmd"], values, recorded.AbsoluteTolerance, recorded.RelativeTolerance, "mmd");
        var stem = prefix.Length == 0 ? "kid_" : prefix;
        Close(recorded, recorded[$"{stem}mean{suffix}"], estimates.Mean);
        Close(recorded, recorded[$"{stem}std{suffix}"], estimates.Deviation);
    }

    [Fact]
    public void OnSubsets_CleanFid_RecordedValue()
    {
        using var recorded = Golden.Case("metrics/kid_poly_rbf_220x16");
        var estimates = KernelDistance.OnSubsets(recorded["features1"], recorded["features2"], new(), Subsets(recorded, "clean."));
        Close(recorded, recorded["clean.kid"], estimates.Mean);
    }

    [Theory]
    [InlineData("kid_400x32", 350)]
    [InlineData("kid_gamma_degree2", 200)]
    public void Between_AllImagesAtOnce_RecordedValue(string name, int rows)
    {
        using var recorded = Golden.Case($"metrics/{name}");
        using var first = recorded["features1"][..rows];
        using var second = recorded["features2"][..rows];
        var distance = KernelDistance.Between(first, second, new() { Kernel = Polynomial(recorded), Subsets = null }, TestContext.Current.CancellationToken);
        Close(recorded, recorded["mmd_all"], distance.Value);
        Assert.Equal((0.0, rows, rows), (distance.Bias, distance.Images, distance.ReferenceImages));
    }

    [Theory]
    [InlineData("")]
    [InlineData("unit.")]
    public void Between_Cmmd_RecordedValue(string prefix)
    {
        using var recorded = Golden.Case("metrics/cmmd_110x20");
        using var x = Prepared(recorded["x"], prefix);
        using var y = Prepared(recorded["y"], prefix);
        var distance = KernelDistance.Between(x, y, KernelDistanceOptions.Cmmd, TestContext.Current.CancellationToken);
        Close(recorded, recorded[$"{prefix}cmmd"], distance.Value);
        Assert.True(distance.Bias > 0);

        static Tensor Prepared(Tensor features, string prefix)
        {
            using var values = features.to(ScalarType.Float64);
            using var norms = values.norm(1, keepdim: true, p: 2);
            return prefix.Length == 0 ? values.alias() : values / norms;
        }
    }

    /// <summary>The formulas, pair by pair, for unlike numbers of images and sizes that no block divides.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Between_UnlikeNumbers_SumsOverPairs(bool biased)
    {
        using var x = SampleFeatures.Normal(37, 19, 1);
        using var y = SampleFeatures.Normal(83, 19, 2, 0.3);
        var distance = KernelDistance.Between(x, y, new() { Kernel = FeatureKernel.Gaussian(3), Subsets = null, Biased = biased, Scale = 10 }, TestContext.Current.CancellationToken);
        var (a, b) = (SampleFeatures.Rows(x), SampleFeatures.Rows(y));
        var expected = 10 * (Mean(a, a, !biased) + Mean(b, b, !biased) - (2 * Mean(a, b, false)));
        Assert.Equal(expected, distance.Value, 1e-11);

        static double Mean(double[][] rows, double[][] columns, bool others) => rows
            .SelectMany((row, i) => columns.Where((_, j) => !others || i != j).Select(column => Math.Exp(SampleFeatures.SquaredDistance(row, column) / -18)))
            .Average();
    }

    /// <summary>The biased form is too large by its bias: over many draws of equal distributions the rest is 0.</summary>
    [Fact]
    public void Between_EqualDistributions_BiasIsWhatTheBiasedFormHas()
    {
        var options = new KernelDistanceOptions { Kernel = FeatureKernel.Gaussian(2), Subsets = null, Biased = true };
        var draws = Draws(40, seed => (SampleFeatures.Normal(30, 4, seed), SampleFeatures.Normal(50, 4, seed + 1)), options);
        var (value, bias) = (draws.Average(draw => draw.Value), draws.Average(draw => draw.Bias!.Value));
        Assert.InRange(value / bias, 0.9, 1.1);
        Assert.All(draws, draw => Assert.InRange(draw.Bias!.Value / bias, 0.8, 1.2));
    }

    /// <summary>The standard error is the deviation of the distance over images drawn anew, not only over subsets of the same images.</summary>
    [Theory]
    [InlineData(20)]
    [InlineData(null)]
    public void Between_ImagesDrawnAnew_DeviatesByTheStandardError(int? subsets)
    {
        var options = new KernelDistanceOptions { Subsets = subsets, SubsetSize = 40 };
        var draws = Draws(80, seed => (SampleFeatures.Normal(100, 4, seed, 0.5), SampleFeatures.Normal(120, 4, seed + 1)), options);
        var mean = draws.Average(draw => draw.Value);
        var deviation = Math.Sqrt(draws.Sum(draw => (draw.Value - mean) * (draw.Value - mean)) / (draws.Count - 1));
        Assert.InRange(draws.Average(draw => draw.StandardError!.Value) / deviation, 0.75, 1.35);
    }

    [Fact]
    public void Between_WholeSetAsSubset_NoStandardErrorAndTheValueOfAll()
    {
        using var x = SampleFeatures.Normal(30, 4, 1);
        using var y = SampleFeatures.Normal(30, 4, 2);
        var one = KernelDistance.Between(x, y, new() { Subsets = 3, SubsetSize = 30 }, TestContext.Current.CancellationToken);
        Assert.Null(one.StandardError);
        Assert.Equal(KernelDistance.Between(x, y, new() { Subsets = null }, TestContext.Current.CancellationToken).Value, one.Value, 1e-12);
    }

    [Fact]
    public void Between_AnyThreads_SameBits()
    {
        using var x = SampleFeatures.Normal(300, 23, 1);
        using var y = SampleFeatures.Normal(170, 23, 2, 0.1);
        foreach (var options in new[] { new KernelDistanceOptions { Subsets = 5, SubsetSize = 150, Seed = 4 }, KernelDistanceOptions.Cmmd })
        {
            var distances = SampleFeatures.WithThreads(() => KernelDistance.Between(x, y, options, TestContext.Current.CancellationToken), 1, 2, 5);
            Assert.Equal(distances[0], distances[1]);
            Assert.Equal(distances[0], distances[2]);
        }
    }

    [Fact]
    public void Draw_Seeds_DistinctIndicesAndOwnSubsets()
    {
        var options = new KernelDistanceOptions { Subsets = 3, SubsetSize = 20, Seed = 7 };
        var subsets = SubsetEstimates.Draw(25, 30, options).ToList();
        Assert.Equal(3, subsets.Count);
        Assert.All(subsets, subset => Assert.Equal((20, 20), (subset.Images.Where(i => i is >= 0 and < 25).Distinct().Count(), subset.Reference.Where(i => i is >= 0 and < 30).Distinct().Count())));
        Assert.Equal(6, subsets.SelectMany(subset => new[] { string.Join(' ', subset.Images), string.Join(' ', subset.Reference) }).Distinct().Count());
        Assert.Equal(subsets[2].Images, SubsetEstimates.Draw(25, 30, options with { Subsets = 5 }).ElementAt(2).Images);
        Assert.NotEqual(subsets[0].Images, SubsetEstimates.Draw(25, 30, options with { Seed = 8 }).First().Images);
        Assert.Contains(subsets, subset => subset.Images.Contains(24)); // the last image is drawn, too
    }

    [Fact]
    public void Between_WhatCannotBe_NamesIt()
    {
        using var x = SampleFeatures.Normal(30, 4, 1);
        using var other = SampleFeatures.Normal(30, 5, 1);
        using var one = SampleFeatures.Normal(1, 4, 1);
        using var flat = SampleFeatures.Normal(30, 4, 1).reshape(120);
        using var bad = SampleFeatures.Normal(30, 4, 1);
        bad[17, 2] = tensor(double.NaN);
        using var huge = x * tensor(1e120);
        Contains("Subsets of 1000 images cannot be drawn from the 30 of 'images'", () => KernelDistance.Between(x, x));
        Contains("'images' has 4 features an image and 'reference' 5", () => KernelDistance.Between(x, other));
        Contains("'reference' must hold at least 2 image(s); it holds 1", () => KernelDistance.Between(x, one));
        Contains("it has the shape [120]", () => KernelDistance.Between(flat, x));
        Contains("Feature 2 of image 17 of 'reference' is NaN", () => KernelDistance.Between(x, bad));
        Contains("beyond float64", () => KernelDistance.Between(huge, x, new() { Subsets = null }));
        Contains("SubsetSize: must be at least 2; it is 1. Scale: must be at least", () => KernelDistance.Between(x, x, new() { SubsetSize = 1, Scale = 0 }));
        Assert.Throws<ArgumentOutOfRangeException>(() => FeatureKernel.Polynomial(0));
        Assert.Throws<ArgumentOutOfRangeException>(() => FeatureKernel.Polynomial(gamma: 0));
        Assert.Throws<ArgumentOutOfRangeException>(() => FeatureKernel.Polynomial(offset: double.NaN));
        Assert.Throws<ArgumentOutOfRangeException>(() => FeatureKernel.Gaussian(0));

        static void Contains(string message, Action action) => Assert.Contains(message, Assert.ThrowsAny<ArgumentException>(action).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Between_AnyForm_SaysWhatWasEstimatedAndLeavesNoTensors()
    {
        using var x = SampleFeatures.Normal(30, 4, 1);
        var tensors = LiveTensors.Settled();
        var subsets = KernelDistance.Between(x, x, new() { Subsets = 3, SubsetSize = 20, Seed = 5 }, TestContext.Current.CancellationToken);
        var all = KernelDistance.Between(x, x, KernelDistanceOptions.Cmmd, TestContext.Current.CancellationToken);
        Assert.Equal(tensors, LiveTensors.Settled());
        Assert.Equal(("kernel (1/D·<x,y> + 1)^3, 3 subsets of 20, seed 5", "kernel exp(-|x-y|²/(2·10²)), biased, times 1000"), (subsets.Remark, all.Remark));
    }

    [Fact]
    public void Between_Cancelled_Throws()
    {
        using var x = SampleFeatures.Normal(30, 4, 1);
        Assert.Throws<OperationCanceledException>(() => KernelDistance.Between(x, x, new() { Subsets = null }, new CancellationToken(true)));
    }

    private static List<DistanceEstimate> Draws(int count, Func<long, (Tensor Images, Tensor Reference)> draw, KernelDistanceOptions options)
    {
        var draws = new List<DistanceEstimate>();
        for (var i = 0; i < count; i++)
        {
            var (images, reference) = draw(2 * i);
            using (images)
            using (reference)
            {
                draws.Add(KernelDistance.Between(images, reference, options));
            }
        }

        return draws;
    }

    private static FeatureKernel Polynomial(GoldenCase recorded)
    {
        double? gamma = recorded.Constructor.TryGetProperty("kid_kernel_poly_gamma", out var factor) ? factor.GetDouble() : null;
        return gamma is null
            ? FeatureKernel.Polynomial()
            : FeatureKernel.Polynomial(recorded.Constructor.GetProperty("kid_kernel_poly_degree").GetInt32(), gamma, recorded.Constructor.GetProperty("kid_kernel_poly_coef0").GetDouble());
    }

    private static IEnumerable<(int[] Images, int[] Reference)> Subsets(GoldenCase recorded, string prefix)
    {
        var (first, second) = (Indices(recorded[$"{prefix}subset1"]), Indices(recorded[$"{prefix}subset2"]));
        return first.Zip(second);

        static int[][] Indices(Tensor subsets) => [.. subsets.data<long>().ToArray().Select(index => (int)index).Chunk((int)subsets.shape[1])];
    }

    private static void Close(GoldenCase recorded, Tensor expected, double actual)
    {
        var value = expected.item<double>();
        Assert.Equal(value, actual, recorded.AbsoluteTolerance + (recorded.RelativeTolerance * Math.Abs(value)));
    }
}
