namespace Diffusion.Evaluation.Tests.Sensitivity;

/// <summary>Sets of real digits with one fault each: the figures that should see it do, and the others do not.</summary>
public sealed class SensitivityTests(DigitSets digits) : IClassFixture<DigitSets>
{
    private SetFigures Real => digits[SensitivitySets.Real];

    [Fact]
    public void RealImages_OfAnotherSet_HaveTheFiguresOfRealImages()
    {
        Assert.InRange(Real.Frechet.Value, 0.5 * Real.Frechet.Bias!.Value, 2 * Real.Frechet.Bias.Value);
        Assert.InRange(Math.Abs(Real.Kernel.Value), 0, 4 * Real.Kernel.StandardError!.Value);
        Assert.InRange(Real.Quality.Precision, 0.8, 1);
        Assert.InRange(Real.Quality.Recall, 0.8, 1);
        Assert.InRange(Real.Spread.Density, 0.85, 1.15);
        Assert.InRange(Real.Spread.Coverage, 0.9, 1);
        Assert.InRange(Real.Score.Mean, 9.3, 10);
        Assert.InRange(Real.Accuracy, 0.985, 1);
        Assert.InRange(Real.NearestPixels.ShareOfCopies, 0, 0.05);
    }

    [Theory]
    [InlineData(SensitivitySets.Blurred)]
    [InlineData(SensitivitySets.Noised)]
    public void SpoiledImages_DistancesDensityAndCoverage_SeeThemAndPrecisionHardly(string name)
    {
        var spoiled = digits[name];
        Assert.True(spoiled.Frechet.Value > 4 * Real.Frechet.Value);
        Assert.True(spoiled.Kernel.Value > Real.Kernel.Value + (10 * Real.Kernel.StandardError));
        Assert.True(spoiled.Spread.Density < Real.Spread.Density - 0.1);
        Assert.True(spoiled.Spread.Coverage < 0.6 * Real.Spread.Coverage);
        Assert.True(spoiled.Quality.Recall < 0.6 * Real.Quality.Recall);
        Assert.InRange(spoiled.Quality.Precision, 0.8, 1); // in features of a classifier a blurred digit lies among the sharp ones of its class
        Assert.Equal(Real.Accuracy, spoiled.Accuracy, 0.04);
        Assert.Equal(0, spoiled.NearestPixels.ShareOfCopies, 0.01);
    }

    [Theory]
    [InlineData(SensitivitySets.OneMissing, 0.9, 1.5)]
    [InlineData(SensitivitySets.HalfMissing, 0.5, 20)]
    public void MissingClasses_RecallAndCoverage_FallByTheirShareAndEachImageIsAsGood(string name, double left, double farther)
    {
        var some = digits[name];
        Assert.True(some.Frechet.Value > farther * Real.Frechet.Value);
        Assert.True(some.Kernel.Value > Real.Kernel.Value + (4 * Real.Kernel.StandardError));
        Assert.Equal(left * Real.Quality.Recall, some.Quality.Recall, 0.05);
        Assert.Equal(left * Real.Spread.Coverage, some.Spread.Coverage, 0.05);
        Assert.Equal(left * Real.Score.Mean, some.Score.Mean, 0.4);
        Assert.Equal(Real.Quality.Precision, some.Quality.Precision, 0.05);
        Assert.Equal(Real.Accuracy, some.Accuracy, 0.01);
        Assert.Equal(Real.NearestPixels.ShareOfCopies, some.NearestPixels.ShareOfCopies, 0.04);
    }

    [Fact]
    public void Collapse_OnFewImages_IsSeenByCoverageAndNotByScoreOrPrecision()
    {
        var few = digits[SensitivitySets.Collapsed];
        Assert.True(few.Frechet.Value > 4 * Real.Frechet.Value);
        Assert.True(few.Kernel.Value > Real.Kernel.Value + (4 * Real.Kernel.StandardError));
        Assert.True(few.Spread.Coverage < 0.5 * Real.Spread.Coverage);
        Assert.True(few.Quality.Recall < Real.Quality.Recall - 0.2);
        Assert.Equal(Real.Quality.Precision, few.Quality.Precision, 0.15);
        Assert.Equal(Real.Accuracy, few.Accuracy, 0.03);
        Assert.InRange(few.Score.Mean, 8, 10);
    }

    [Fact]
    public void WrongLabels_OfTheSameImages_AreSeenByLabelAccuracyAlone()
    {
        var wrong = digits[SensitivitySets.Mislabelled];
        Assert.Equal(Real.Accuracy - 0.1, wrong.Accuracy, 0.01);
        Assert.Equal((Real.Frechet, Real.Kernel, Real.Quality, Real.Spread, Real.Score), (wrong.Frechet, wrong.Kernel, wrong.Quality, wrong.Spread, wrong.Score));
    }

    [Theory]
    [InlineData(SensitivitySets.Copies, true)]
    [InlineData(SensitivitySets.ChangedCopies, true)]
    [InlineData(SensitivitySets.ShiftedCopies, false)]
    public void Copies_OfTrainingImages_AreSeenByTheNearestImageAlone(string name, bool byPixels)
    {
        var copies = digits[name];
        Assert.Equal(byPixels ? 1 : 0, copies.NearestPixels.ShareOfCopies, byPixels ? 0.02 : 0.1);
        Assert.True(copies.NearestFeatures.ShareNearerThan(Real.NearestFeatures) > 0.8);
        Assert.True(copies.NearestFeatures.Median < 0.7 * Real.NearestFeatures.Median);
        Assert.InRange(copies.Quality.Precision, Real.Quality.Precision - 0.02, 1); // all else is as of real images, or better
        Assert.InRange(copies.Quality.Recall, Real.Quality.Recall - 0.02, 1);
        Assert.InRange(copies.Spread.Coverage, Real.Spread.Coverage - 0.02, 1);
        Assert.Equal(Real.Score.Mean, copies.Score.Mean, 0.2);
        Assert.True(copies.Frechet.Value < Real.Frechet.Value);
    }

    [Fact]
    public void Copies_ExactOnes_AreBetterThanRealImagesByTheFrechetDistance()
    {
        var copies = digits[SensitivitySets.Copies];
        Assert.InRange(copies.Frechet.Value, 0, 1e-3 * copies.Frechet.Bias!.Value); // below the bias: no other images can be so near
        Assert.All(copies.NearestPixels.Distances.Index(), image => Assert.Equal((0.0, image.Index), (image.Item, copies.NearestPixels.Indices[image.Index])));
    }
}
