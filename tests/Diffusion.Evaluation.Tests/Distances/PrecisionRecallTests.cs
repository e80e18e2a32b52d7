using System.Globalization;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests.Distances;

/// <summary>Precision and recall, density and coverage against prdc and torch-fidelity (tests/golden/README.md), and against counts over single pairs.</summary>
public class PrecisionRecallTests
{
    public static TheoryData<string, int> Recorded => new()
    {
        { "prdc_150x32", 3 },
        { "prdc_200x8", 3 },
        { "prdc_200x8", 5 },
        { "prdc_ties_160x6", 1 },
        { "prdc_ties_160x6", 3 },
        { "prdc_ties_160x6", 5 },
        { "prdc_ties_160x6", 10 },
    };

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Of_RecordedFeatures_RecordedFigures(string name, int k)
    {
        using var recorded = Golden.Case($"metrics/{name}");
        var cancellation = TestContext.Current.CancellationToken;
        var strict = PrecisionRecall.Of(recorded["fake"], recorded["real"], k, strict: true, cancellation);
        var density = DensityCoverage.Of(recorded["fake"], recorded["real"], k, cancellation);
        using var prdc = tensor(new[] { strict.Precision, strict.Recall, density.Density, density.Coverage }, dtype: ScalarType.Float64);
        TensorAssert.Close(recorded[$"prdc.k{k}"], prdc, 1e-9, 0, "prdc");

        var paper = PrecisionRecall.Of(recorded["fake"], recorded["real"], k, cancellationToken: cancellation);
        using var fidelity = tensor(new[] { paper.Precision, paper.Recall, paper.FScore }, dtype: ScalarType.Float64);
        TensorAssert.Close(recorded[$"tf.k{k}"], fidelity, 1e-6, 0, "torch-fidelity");
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(10)]
    public void Neighbourhoods_WholeNumbers_ExactRadii(int k)
    {
        using var recorded = Golden.Case("metrics/prdc_ties_160x6");
        foreach (var side in new[] { "real", "fake" })
        {
            using var rows = FeatureRows.From(recorded[side], side);
            var radii = new Neighbourhoods(rows, k, TestContext.Current.CancellationToken).Squares;
            Assert.Equal(recorded[$"radius2_{side}.k{k}"].data<long>().ToArray().Select(square => (double)square), radii);
        }
    }

    /// <summary>Other numbers of images, of features and of neighbours, with ties: the definitions, pair by pair.</summary>
    [Theory]
    [InlineData(40, 90, 3, 2)]
    [InlineData(131, 65, 5, 7)]
    [InlineData(20, 20, 1, 19)]
    [InlineData(50, 70, 600, 4)]
    public void Of_Ties_TheDefinitions(int images, int references, int size, int k)
    {
        using var fake = SampleFeatures.Whole(images, size, 5, 11);
        using var real = SampleFeatures.Whole(references, size, 4, 12);
        var (f, r) = (SampleFeatures.Rows(fake), SampleFeatures.Rows(real));
        var (fakeRadii, realRadii) = (Radii(f), Radii(r));
        foreach (var strict in new[] { true, false })
        {
            var actual = PrecisionRecall.Of(fake, real, k, strict, TestContext.Current.CancellationToken);
            Assert.Equal((double)f.Count(x => Inside(x, r, realRadii, strict) > 0) / images, actual.Precision);
            Assert.Equal((double)r.Count(x => Inside(x, f, fakeRadii, strict) > 0) / references, actual.Recall);
        }

        var density = DensityCoverage.Of(fake, real, k, TestContext.Current.CancellationToken);
        Assert.Equal(f.Sum(x => Inside(x, r, realRadii, true)) / ((double)k * images), density.Density, 1e-14);
        Assert.Equal((double)Enumerable.Range(0, references).Count(i => f.Min(x => SampleFeatures.SquaredDistance(x, r[i])) < realRadii[i]) / references, density.Coverage);

        double[] Radii(double[][] rows) => [.. rows.Select((row, i) => rows.Where((_, j) => i != j).Select(other => SampleFeatures.SquaredDistance(row, other)).Order().ElementAt(k - 1))];
        static int Inside(double[] x, double[][] centres, double[] radii, bool strict) =>
            centres.Where((centre, i) => SampleFeatures.SquaredDistance(x, centre) is var square && (strict ? square < radii[i] : square <= radii[i])).Count();
    }

    /// <summary>A set against itself has every image at the centre of a ball, also where the features are far from the origin, where ‖a‖² + ‖b‖² − 2⟨a, b⟩ has no right digit.</summary>
    [Fact]
    public void Of_TheSameFarFromTheOrigin_CoversAll()
    {
        using var features = SampleFeatures.Normal(60, 5, 1).to(ScalarType.Float32);
        using var far = features + tensor(1e6f);
        var same = PrecisionRecall.Of(far, far, 3, cancellationToken: TestContext.Current.CancellationToken);
        Assert.Equal((1, 1, 1), (same.Precision, same.Recall, same.FScore));
        using var moved = far + tensor(4f);
        using var near = features + tensor(4f);
        using var exact = far - tensor(1e6f);
        using var exactMoved = moved - tensor(1e6f);
        Assert.Equal(PrecisionRecall.Of(exactMoved, exact, 3, cancellationToken: TestContext.Current.CancellationToken), PrecisionRecall.Of(moved, far, 3, cancellationToken: TestContext.Current.CancellationToken));
    }

    [Fact]
    public void Of_AnyThreads_SameFigures()
    {
        using var fake = SampleFeatures.Normal(300, 9, 1);
        using var real = SampleFeatures.Normal(200, 9, 2);
        var precision = SampleFeatures.WithThreads(() => (PrecisionRecall.Of(fake, real), DensityCoverage.Of(fake, real)), 1, 2, 5);
        Assert.Equal(precision[0], precision[1]);
        Assert.Equal(precision[0], precision[2]);
    }

    [Fact]
    public void Of_WhatCannotBe_NamesIt()
    {
        using var five = SampleFeatures.Normal(5, 4, 1);
        using var nine = SampleFeatures.Normal(9, 4, 2);
        Assert.Contains("less than the number of images of 'reference', 5", Assert.Throws<ArgumentOutOfRangeException>(() => PrecisionRecall.Of(nine, five)).Message, StringComparison.Ordinal);
        Assert.Contains("less than the number of images of 'images', 5", Assert.Throws<ArgumentOutOfRangeException>(() => PrecisionRecall.Of(five, nine)).Message, StringComparison.Ordinal);
        Assert.Contains("of 'reference', 5", Assert.Throws<ArgumentOutOfRangeException>(() => DensityCoverage.Of(nine, five)).Message, StringComparison.Ordinal);
        Assert.Throws<ArgumentOutOfRangeException>(() => DensityCoverage.Of(nine, five, 0));
        Assert.Equal(5, DensityCoverage.Of(five, nine).Images); // only the reference has neighbourhoods
    }

    [Fact]
    public void ToString_AnyCulture_SaysNumbers()
    {
        var before = CultureInfo.CurrentCulture;
        try
        {
            CultureInfo.CurrentCulture = CommaCulture.Create();
            Assert.Equal("precision 0.5000, recall 0.2500 (k = 3, 10 images against 20)", new PrecisionRecall(0.5, 0.25, 3, 10, 20).ToString());
            Assert.Equal("density 0.5000, coverage 0.2500 (k = 3, 10 images against 20)", new DensityCoverage(0.5, 0.25, 3, 10, 20).ToString());
            Assert.Equal("(0.5·<x,y> + 1.5)^3", FeatureKernel.Polynomial(gamma: 0.5, offset: 1.5).ToString());
        }
        finally
        {
            CultureInfo.CurrentCulture = before;
        }
    }
}
