using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Sensitivity;

/// <summary>Mistakes that are known in the field: what they do to figures, and that the library refuses them or says what is the matter.</summary>
public sealed class KnownMistakesTests(DigitSets digits) : IClassFixture<DigitSets>
{
    private const int Count = 500;

    [Fact]
    public void EightBits_ImagesInZeroToOne_AreFarFromThoseOfTheRightRange()
    {
        using var scope = NewDisposeScope();
        var images = Even(Count).to(ScalarType.Float32) / 255; // [0, 1]
        TensorAssert.Identical(Even(Count), EightBitImages.From((images * 2) - 1), "the right range");
        Assert.True(Distance(EightBitImages.From(images)) > 10 * Distance(Even(Count)));
    }

    [Fact]
    public void EightBits_PaleImages_ArePaleAndNotStretched()
    {
        using var scope = NewDisposeScope();
        var pale = (EightBitImages.ToFloat(Even(Count)) + 1) * 0.5f - 1; // half as bright as they should be
        var (clipped, stretched) = (Distance(EightBitImages.From(pale)), Distance(SpoiledImages.MinMax(pale)));
        Assert.True(clipped > 3 * stretched, $"{clipped} is to see what {stretched} hides");
        Assert.Equal((byte)128, EightBitImages.From(pale).max().item<byte>());
    }

    [Fact]
    public void EightBits_ValuesBeyondTheRange_AreClippedAndChangeNothingElse()
    {
        using var scope = NewDisposeScope();
        var beyond = EightBitImages.ToFloat(Even(Count)) * 1.2f;
        Assert.True(Distance(EightBitImages.From(beyond)) < 2 * Distance(Even(Count)));
        beyond[0, 0, 0, 0] = float.NaN;
        Assert.Contains("1 NaN", Assert.Throws<ArgumentException>(() => EightBitImages.From(beyond)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Extract_ImagesThatAreNotRoundedOrHaveOtherChannels_AreRefused()
    {
        using var scope = NewDisposeScope();
        Assert.Contains("Float32", Assert.Throws<ArgumentException>(() => digits.Classifier.Extract(EightBitImages.ToFloat(Even(2)))).Message, StringComparison.OrdinalIgnoreCase);
        var coloured = Even(2).expand(2, 3, 28, 28);
        Assert.Contains("[2, 3, 28, 28]", Assert.Throws<ArgumentException>(() => digits.Classifier.Extract(coloured)).Message, StringComparison.Ordinal);
        TensorAssert.Identical(digits.Classifier.Extract(Even(2)), digits.Classifier.Extract(coloured.narrow(1, 0, 1)), "one of three equal channels");
    }

    [Fact]
    public void Between_UnlikeNumbersOfImages_SaysThemAndTheBias()
    {
        using var scope = NewDisposeScope();
        var (few, many) = (Estimate(Even(200)), Estimate(Even(4000)));
        Assert.True(few.Value > 2 * many.Value, "the same images, fewer of them");
        Assert.True(few.Bias > 5 * many.Bias);
        Assert.InRange(few.Bias!.Value / few.Value, 0.5, 2);
        Assert.Contains("200 images against 5000, unlike numbers; bias ", few.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Between_FewerImagesThanFeatures_IsRealAndSaysSo()
    {
        using var scope = NewDisposeScope();
        var few = Estimate(Even(20));
        Assert.True(double.IsFinite(few.Value) && few.Value > 0);
        Assert.NotNull(few.Remark);
    }

    private double Distance(Tensor images) => Estimate(images).Value;

    private DistanceEstimate Estimate(Tensor images)
    {
        using var features = digits.Classifier.Extract(images);
        using var statistics = FeatureStatistics.Of(features, "images");
        return FrechetDistance.Between(statistics, digits.OddImages);
    }

    private Tensor Even(int count) => digits.Every(second: 0, count);
}
