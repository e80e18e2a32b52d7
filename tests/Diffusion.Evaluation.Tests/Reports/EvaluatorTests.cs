using TorchSharp;
using static TorchSharp.torch;

namespace Diffusion.Evaluation.Tests;

/// <summary>All figures in one report: each is that of its own class, says of how many images it is, and is missing or refused where it cannot be measured.</summary>
public sealed class EvaluatorTests : IDisposable
{
    private readonly BlockFeatures _features = new();
    private readonly BlockImages _images = new(60, seed: 1);
    private readonly BlockImages _reference = new(80, seed: 2);
    private readonly BlockImages _training = new(100, seed: 3);

    public void Dispose()
    {
        _images.Dispose();
        _reference.Dispose();
        _training.Dispose();
        _features.Dispose();
    }

    [Fact]
    public void Evaluate_Everything_IsWhatTheFiguresAreAlone()
    {
        using var evaluator = new Evaluator(_features) { Reference = _reference, Training = _training };
        var report = evaluator.Evaluate(_images, _images.Labels);

        using var scope = NewDisposeScope();
        var (images, logits) = _features.Classify(_images.Pixels);
        var (reference, training) = (_features.Extract(_reference.Pixels), _features.Extract(_training.Pixels));
        using FeatureStatistics ofImages = FeatureStatistics.Of(images, "images"), ofReference = FeatureStatistics.Of(reference, "reference");
        using var chosen = reference.index_select(0, tensor(Array.ConvertAll(SourceBatches.Choose(80, 60, 0), i => (long)i)));
        var precision = PrecisionRecall.Of(images, chosen, 5);
        var density = DensityCoverage.Of(images, chosen, 5);
        var nearest = NearestImages.InPixels(_images.Pixels, _training.Pixels);
        var heldOut = NearestImages.InPixels(_reference.Pixels, _training.Pixels);
        Same(FrechetDistance.Between(ofImages, ofReference).Value, report, "frechetDistance", 60, 80);
        Same(FrechetDistance.Between(ofImages, ofReference).Bias!.Value, report.Find("frechetDistance")!.Bias!.Value);
        Same(Figure(report, "frechetDistance").Value - Figure(report, "frechetDistanceFloor").Value, report, "frechetDistanceExcess", 60, 80);
        Same(KernelDistance.Between(images, reference, new() { SubsetSize = 30 }).Value, report, "kernelDistance", 60, 80);
        Same(precision.Precision, report, "precision", 60, 60);
        Same(precision.Recall, report, "recall", 60, 60);
        Same(density.Density, report, "density", 60, 60);
        Same(density.Coverage, report, "coverage", 60, 60);
        Same(InceptionScore.Of(logits, 10, 0).Mean, report, "inceptionScore", 60, null);
        Same(1, report, "labelAccuracy", 60, null);
        Same(1, report, "referenceLabelAccuracy", 80, null);
        Same(nearest.Median, report, "nearestPixels", 60, 100);
        Same(heldOut.Median, report, "nearestReferencePixels", 80, 100);
        Same(nearest.ShareNearerThan(heldOut), report, "nearerThanReferencePixels", 60, 100);
        Same(NearestImages.InFeatures(images, training).Median, report, "nearestFeatures", 60, 100);
        Assert.NotNull(Figure(report, "kernelDistance").StandardError);
        Assert.Equal([("left", 30L), ("right", 30L)], report.Classes);
        Assert.Empty(report.Remarks);
    }

    /// <summary>Where there is nothing to measure the images are still taken: they may be kept.</summary>
    [Fact]
    public void Evaluate_WithoutFeaturesAndTrainingImages_SaysWhatIsMissing()
    {
        using var evaluator = new Evaluator(null) { Reference = _reference };
        var report = evaluator.Evaluate(_images, null);

        Assert.Empty(report.Figures);
        Assert.Equal(_images.Count, report.Count);
        Assert.Contains("NearestImages: not measured, for it needs training images.", report.Remarks);
    }

    /// <summary>Pixels are compared without a network.</summary>
    [Fact]
    public void Evaluate_WithoutFeatures_MeasuresTheNearestInPixelsAlone()
    {
        using var evaluator = new Evaluator(null) { Reference = _reference, Training = _training };
        using var all = new Evaluator(_features, new() { Figures = ["nearest"] }) { Reference = _reference, Training = _training };
        var (report, expected) = (evaluator.Evaluate(_images, null), all.Evaluate(_images, null));

        Assert.Equal(["nearestPixels", "copiesPixels", "nearestReferencePixels", "copiesReferencePixels", "nearerThanReferencePixels"], report.Figures.Select(figure => figure.Name));
        Assert.All(report.Figures, figure => Assert.Equal(expected.Find(figure.Name), figure));
        Assert.EndsWith($"are no neighbourhood among only {_training.Count} training images", report.Find("copiesPixels")!.Remark, StringComparison.Ordinal);
        Assert.Equal("none", report.Features);
        Assert.Contains("FrechetDistance: not measured, for it needs the features of a network.", report.Remarks);
        Assert.Empty(report.Classes);
    }

    [Theory]
    [InlineData("frechet")]
    [InlineData("kernel")]
    [InlineData("precision")]
    [InlineData("density")]
    [InlineData("inception")]
    [InlineData("labels")]
    public void Prepare_WithoutFeaturesWhatNeedsThem_IsRefused(string figure)
    {
        using var evaluator = new Evaluator(null, new() { Figures = [figure, "nearest"] }) { Reference = _reference, Training = _training };
        Assert.Contains("features of a", Assert.Throws<InvalidOperationException>(() => evaluator.Prepare(60, labels: true)).Message, StringComparison.Ordinal);
    }

    /// <summary>The floor is the distance of as many training images as are measured, which is more the fewer they are.</summary>
    [Fact]
    public void Floor_OfAFewImages_IsOfAsManyTrainingImages()
    {
        using var evaluator = new Evaluator(_features, new() { Figures = ["frechet"] }) { Reference = _reference, Training = _training };
        using var few = new BlockImages(10, seed: 1);
        var (of60, of10) = (evaluator.Evaluate(_images, null), evaluator.Evaluate(few, null));
        Assert.True(Figure(of10, "frechetDistanceFloor").Value > 2 * Figure(of60, "frechetDistanceFloor").Value);
        Assert.Equal((60, 10), (Figure(of60, "frechetDistanceFloor").Images, Figure(of10, "frechetDistanceFloor").Images));
        using var more = new BlockImages(120, seed: 1);
        var floor = Figure(evaluator.Evaluate(more, null), "frechetDistanceExcess");
        Assert.Contains("which is of 100 images", floor.Remark, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(7, 256)]
    [InlineData(60, 7)]
    public void Evaluate_OtherBatches_HasTheSameFigures(int given, int batchSize)
    {
        using var plain = new Evaluator(_features) { Reference = _reference, Training = _training };
        using var other = new Evaluator(_features, new() { BatchSize = batchSize }) { Reference = _reference, Training = _training };
        var (expected, actual) = (plain.Evaluate(_images, _images.Labels), other.Evaluate(_images.Batches(given), _images.Name, _images.Labels));
        Assert.Equal(expected.Figures.Select(figure => figure.Name), actual.Figures.Select(figure => figure.Name));
        Assert.All(expected.Figures.Zip(actual.Figures), pair => Assert.Equal(pair.First.Value, pair.Second.Value, 1e-9));
        Assert.Equal(expected.ToString(), plain.Evaluate(_images, _images.Labels).ToString());
    }

    /// <summary>What is measured is what a file would hold: values between two levels, and beyond the range, make no difference.</summary>
    [Fact]
    public void Evaluate_Floats_AreRoundedAndClippedFirst()
    {
        using var scope = NewDisposeScope();
        var floats = EightBitImages.ToFloat(_images.Pixels);
        using var evaluator = new Evaluator(_features) { Reference = _reference };
        var (exact, off) = (evaluator.Evaluate([_images.Pixels], "a"), evaluator.Evaluate([(floats + 0.003).DetachFromDisposeScope()], "a"));
        Assert.Equal(exact.Figures.Select(figure => figure.Value), off.Figures.Select(figure => figure.Value));
        var clipped = evaluator.Evaluate([full([60, 1, 8, 8], 7f).DetachFromDisposeScope()], "a");
        Assert.Equal(Figure(evaluator.Evaluate([full([60, 1, 8, 8], 1f).DetachFromDisposeScope()], "a"), "frechetDistance"), Figure(clipped, "frechetDistance"));
    }

    [Fact]
    public void Labels_AskedForAndNotShown_AreCounted()
    {
        using var evaluator = new Evaluator(_features, new() { Figures = ["labels"] }) { Reference = _reference };
        var report = evaluator.Evaluate(_images, [.. Enumerable.Range(0, 60).Select(i => i < 6 ? 1L - (i % 2) : i % 2)]);
        Assert.Equal(0.9, Figure(report, "labelAccuracy").Value, 1e-12);
        Assert.Equal(Math.Sqrt(0.9 * 0.1 / 60), Figure(report, "labelAccuracy").StandardError!.Value, 1e-12);
        Assert.Equal(1, Figure(report, "referenceLabelAccuracy").Value);
        Assert.Contains("2", Assert.Throws<ArgumentException>(() => evaluator.Evaluate(_images, [.. Enumerable.Repeat(2L, 60)])).Message, StringComparison.Ordinal);
        Assert.Contains("59 labels", Assert.Throws<ArgumentException>(() => evaluator.Evaluate(_images, [.. Enumerable.Repeat(1L, 59)])).Message, StringComparison.Ordinal);
    }

    /// <summary>Images with a logit of 10 above the other are sure; what is near the border is right, and not sure.</summary>
    [Fact]
    public void Labels_NearTheBorder_AreNotSure()
    {
        using var scope = NewDisposeScope();
        var pixels = full([10, 1, 8, 8], 100, ScalarType.Byte);
        pixels.narrow(3, 0, 4).narrow(0, 0, 5).fill_(110); // logits differ by 10/8: probability 0.78
        pixels.narrow(3, 0, 4).narrow(0, 5, 5).fill_(140); // by 40/8: 0.993
        using var evaluator = new Evaluator(_features, new() { Figures = ["labels"] });
        var report = evaluator.Evaluate([pixels.DetachFromDisposeScope()], "a", [.. Enumerable.Repeat(0L, 10)]);
        Assert.Equal((1, 0.5), (Figure(report, "labelAccuracy").Value, Figure(report, "labelAccuracySure").Value));
    }

    [Fact]
    public void Evaluate_TrainingImages_AreSeenAsCopies()
    {
        using var evaluator = new Evaluator(_features, new() { Figures = ["nearest"] }) { Reference = _reference, Training = _training };
        using var copies = new BlockImages(60, seed: 3);
        var (real, copied) = (evaluator.Evaluate(_images, null), evaluator.Evaluate(copies.Batches(20), "copies"));
        Assert.True(Figure(real, "nearestPixels").Value > 10);
        Assert.InRange(Figure(real, "nearerThanReferencePixels").Value, 0.35, 0.65);
        Assert.Equal(0, Figure(real, "copiesPixels").Value);
        using var training = _training.Pixels;
        using var some = training.narrow(0, 0, 60);
        var exact = evaluator.Evaluate([some.clone()], "copies");
        Assert.Equal((0, 1, 1), (Figure(exact, "nearestPixels").Value, Figure(exact, "copiesPixels").Value, Figure(exact, "nearerThanReferencePixels").Value));
    }

    [Fact]
    public void PairedImages_FewerThanThereAre_IsSaid()
    {
        using var evaluator = new Evaluator(_features, new() { PairedImages = 20 }) { Reference = _reference };
        var report = evaluator.Evaluate(_images, null);
        Assert.Equal((20L, 20L), (Figure(report, "precision").Images, Figure(report, "precision").ReferenceImages));
        Assert.Contains("20 of 60 images and 20 of the 80", Figure(report, "precision").Remark, StringComparison.Ordinal);
        Assert.Equal((60L, 80L), (Figure(report, "frechetDistance").Images, Figure(report, "frechetDistance").ReferenceImages));
        using var all = new Evaluator(_features) { Reference = _reference };
        Assert.Equal(Figure(all.Evaluate(_images, null), "frechetDistance").Value, Figure(report, "frechetDistance").Value, 1e-9);
    }

    /// <summary>Images that come sorted: what is kept of them is of all, and the same each time.</summary>
    /// <summary>What is compared does not depend on what else is measured, nor on what is known already.</summary>
    [Fact]
    public void PairedImages_WithAndWithoutStatistics_AreTheSame()
    {
        var options = new EvaluationOptions { PairedImages = 20, Figures = ["frechet", "kernel"] };
        using var statistics = FeatureStatistics.Of(_features.Extract(_reference.Pixels), "reference");
        using var fresh = new Evaluator(_features, options) { Reference = _reference };
        using var known = new Evaluator(_features, options) { Reference = _reference, ReferenceStatistics = statistics };
        using var alone = new Evaluator(_features, options with { Figures = ["kernel"] }) { Reference = _reference };
        var figures = new[] { fresh, known, alone }.Select(evaluator => Figure(evaluator.Evaluate(_images, null), "kernelDistance")).ToArray();
        Assert.Equal([figures[0].Value, figures[0].Value], figures[1..].Select(figure => figure.Value));
        Assert.All(figures, figure => Assert.Contains("20 of the 80 of the reference", figure.Remark, StringComparison.Ordinal));
    }

    [Fact]
    public void PairedImages_FewerThanTheNeighbours_AreRefusedBeforeAnyIsSeen()
    {
        using var evaluator = new Evaluator(_features, new() { PairedImages = 5, Figures = ["precision"] }) { Reference = _reference };
        var message = Assert.Throws<InvalidOperationException>(() => evaluator.Prepare(60)).Message;
        Assert.Contains("PairedImages is 5", message, StringComparison.Ordinal);
    }

    [Fact]
    public void ToString_UnlikeNumbers_SaysSo()
    {
        using var evaluator = new Evaluator(_features, new() { Figures = ["frechet"] }) { Reference = _reference };
        Assert.Contains("80 of", evaluator.Evaluate(_images, null).ToString(), StringComparison.Ordinal);
        Assert.Contains(", unlike numbers |", evaluator.Evaluate(_images, null).ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("unlike numbers", evaluator.Evaluate(_reference, null).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void PairedImages_OfSortedImages_AreOfAllParts()
    {
        using var scope = NewDisposeScope();
        var sorted = cat([full([300, 1, 8, 8], 10, ScalarType.Byte), full([300, 1, 8, 8], 200, ScalarType.Byte)]);
        var keep = new MeasuredImages.Keep(Sums: false, Max: 100, Pixels: true, Logits: false, Seed: 1);
        using MeasuredImages first = MeasuredImages.Of(_features, sorted.split(64), keep, "a", null, default), again = MeasuredImages.Of(_features, sorted.split(7), keep, "a", null, default);
        Assert.Equal((600, 100), (first.Count, first.Kept));
        var low = first.Features!.lt(100).sum().item<long>() / 4;
        Assert.InRange(low, 30, 70);
        Assert.True(first.Features!.equal(again.Features!).all().item<bool>());
        Assert.True(first.Pixels!.to(ScalarType.Float32).mean([1, 2, 3]).equal(first.Features!.mean([1])).all().item<bool>());
    }

    [Fact]
    public void ReferenceStatistics_Alone_AreForTheFrechetDistance()
    {
        using var prepared = new Evaluator(_features, new() { Figures = ["frechet"] }) { Reference = _reference };
        Assert.Null(prepared.ReferenceStatistics);
        prepared.Prepare(60);
        using var evaluator = new Evaluator(_features) { ReferenceStatistics = prepared.ReferenceStatistics };
        var report = evaluator.Evaluate(_images, null);
        Assert.Equal(Figure(prepared.Evaluate(_images, null), "frechetDistance"), Figure(report, "frechetDistance"));
        Assert.Null(report.Find("precision"));
        Assert.Contains("PrecisionRecall: not measured, for it needs reference images.", report.Remarks);
        Assert.Contains("Labels: not measured, for it needs the classes that the images were to show.", report.Remarks);
    }

    /// <summary>Pixels of all training images are kept: more than the memory is found out before any is read.</summary>
    [Fact]
    public void Training_MoreThanTheMemory_IsSaidBeforeAnyIsRead()
    {
        using var huge = new HugeImages();
        using var named = new Evaluator(_features, new() { Figures = ["nearest"] }) { Training = huge };
        var message = Assert.Throws<InvalidOperationException>(() => named.Prepare(60)).Message;
        Assert.Contains("NearestImages needs 93", message, StringComparison.Ordinal);
        Assert.Contains("GiB of memory for pixels and features of the 2000000000 training images of 3×4096×4096, where ", message, StringComparison.Ordinal);
        using var all = new Evaluator(_features) { Training = huge };
        Assert.Contains(all.Evaluate(_images, null).Remarks, remark => remark.StartsWith("NearestImages: not measured, for it needs 93", StringComparison.Ordinal));
    }

    [Fact]
    public void ReferenceStatistics_OfOtherFeatures_AreRefusedBeforeAnyImageIsSeen()
    {
        using var three = new FeatureStatistics(zeros(3), eye(3), 10, "stats.npz");
        using var evaluator = new Evaluator(_features, new() { Figures = ["frechet"] }) { ReferenceStatistics = three };
        Assert.Equal("The statistics of stats.npz are of 3 features, and blocks-1 has 4.", Assert.Throws<ArgumentException>(() => evaluator.Prepare(60)).Message);
        Assert.Equal("The statistics of stats.npz are of 3 features, and blocks-1 has 4.", Assert.Throws<ArgumentException>(() => evaluator.Evaluate(_images.Batches(10), "a")).Message);
        Assert.Equal(0, _features.Seen);
    }

    /// <summary>Statistics that are given with their images are not computed again.</summary>
    [Fact]
    public void ReferenceStatistics_WithTheirImages_SaveTheirEvaluation()
    {
        using var prepared = new Evaluator(_features, new() { Figures = ["frechet"] }) { Reference = _reference };
        prepared.Prepare(60);
        using var features = new BlockFeatures();
        using var evaluator = new Evaluator(features, new() { Figures = ["frechet"] }) { Reference = _reference, ReferenceStatistics = prepared.ReferenceStatistics };
        Assert.Equal(Figure(prepared.Evaluate(_images, null), "frechetDistance"), Figure(evaluator.Evaluate(_images, null), "frechetDistance"));
        Assert.Equal(60, features.Seen);
    }

    [Theory]
    [InlineData("kernel", "KernelDistance needs reference images")]
    [InlineData("nearest", "NearestImages needs training images")]
    [InlineData("labels", "Labels needs the classes that the images were to show")]
    public void Evaluate_NamedFigureThatCannotBeMeasured_IsRefused(string figure, string expected)
    {
        using var evaluator = new Evaluator(_features, new() { Figures = [figure] });
        Assert.Contains(expected, Assert.Throws<InvalidOperationException>(() => evaluator.Evaluate(_images, null)).Message, StringComparison.Ordinal);
        Assert.Equal(0, _features.Seen);
    }

    [Theory]
    [InlineData("precision", 5, "at least 6 images")]
    [InlineData("density", 5, "at least 6 images")]
    [InlineData("frechet", 1, "at least 2 images")]
    [InlineData("kernel", 1, "at least 2 images")]
    [InlineData("inception", 9, "at least 10 images; there are 9")]
    public void Prepare_TooFewImages_IsRefusedBeforeAnyIsSeen(string figure, int images, string expected)
    {
        using var evaluator = new Evaluator(_features, new() { Figures = [figure] }) { Reference = _reference };
        Assert.Contains(expected, Assert.Throws<InvalidOperationException>(() => evaluator.Prepare(images)).Message, StringComparison.Ordinal);
        Assert.Equal(0, _features.Seen);
    }

    [Fact]
    public void Options_WithMistakes_NameThemAll()
    {
        var message = Assert.Throws<ArgumentException>(() => new Evaluator(_features, new() { Figures = ["fid"], BatchSize = 0, PairedImages = 1, Neighbours = 0, Splits = 0 })).Message;
        Assert.All(["'fid'", "BatchSize", "PairedImages", "Neighbours", "Splits"], name => Assert.Contains(name, message, StringComparison.Ordinal));
        Assert.Contains("there are none", Assert.Throws<ArgumentException>(() => new Evaluator(_features, new() { Figures = [] })).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Sources_ThatDoNotFit_AreRefused()
    {
        using var latents = new BlockImages(20, seed: 4) { Range = null };
        using var larger = new BlockImages(20, seed: 4, size: 16);
        using (var evaluator = new Evaluator(_features) { Reference = latents })
        {
            Assert.Contains("has values of any size, and images in [−1, 1] are needed", Assert.Throws<ArgumentException>(() => evaluator.Evaluate(_images, null)).Message, StringComparison.Ordinal);
        }

        using (var evaluator = new Evaluator(_features) { Reference = _reference, Training = larger })
        {
            Assert.Contains("1×16×16", Assert.Throws<ArgumentException>(() => evaluator.Evaluate(_images, null)).Message, StringComparison.Ordinal);
        }

        using (var evaluator = new Evaluator(_features) { Reference = _reference })
        {
            Assert.Contains("no images", Assert.Throws<ArgumentException>(() => evaluator.Evaluate([], "none")).Message, StringComparison.Ordinal);
            Assert.Contains("all of one shape", Assert.Throws<ArgumentException>(() => evaluator.Evaluate([_images.Pixels, larger.Pixels], "two")).Message, StringComparison.Ordinal);
        }
    }

    /// <summary>A network that diverged draws NaN: no figure of it is one.</summary>
    [Fact]
    public void Evaluate_ImagesWithNaN_SaysWhich()
    {
        using var evaluator = new Evaluator(_features, new() { BatchSize = 8 }) { Reference = _reference };
        var batches = _images.Batches(20).Select((batch, number) =>
        {
            using var bytes = batch;
            var floats = EightBitImages.ToFloat(bytes);
            if (number == 2)
            {
                floats[9, 0, 3, 3] = float.NaN;
            }

            return floats;
        });
        var message = Assert.Throws<ArgumentException>(() => evaluator.Evaluate(batches, "drawn")).Message;
        Assert.StartsWith("Images 48 to 55 cannot be measured. The images [8, 1, 8, 8] have 1 NaN of 512 values.", message, StringComparison.Ordinal);
    }

    /// <summary>How small the splits of an Inception score are is said where it matters.</summary>
    [Theory]
    [InlineData(60, "; says nothing: 1 image(s) a split cannot show 2 classes, and the score is at most 1")]
    [InlineData(10, "; up to 8.3 % too small, for a split has only 6 images")]
    [InlineData(1, "splits 0")]
    public void InceptionScore_OfSmallSplits_SaysSo(int splits, string expected)
    {
        using var evaluator = new Evaluator(_features, new() { Figures = ["inception"], Splits = splits });
        Assert.EndsWith(expected, Figure(evaluator.Evaluate(_images, null), "inceptionScore").Remark, StringComparison.Ordinal);
    }

    [Fact]
    public void Evaluate_Cancelled_Stops()
    {
        using var cancellation = new CancellationTokenSource();
        using var evaluator = new Evaluator(_features) { Reference = _reference };
        var drawn = 0;
        Assert.Throws<OperationCanceledException>(() => evaluator.Evaluate(
            _images.Batches(10).Select(batch =>
            {
                if (++drawn == 3)
                {
                    cancellation.Cancel();
                }

                return batch;
            }),
            "images", cancellationToken: cancellation.Token));
        Assert.Equal(3, drawn);
    }

    private static EvaluationFigure Figure(EvaluationReport report, string name) => report.Find(name) ?? throw new InvalidOperationException($"{name} is missing.");

    private static void Same(double expected, EvaluationReport report, string name, long images, long? reference)
    {
        var figure = Figure(report, name);
        Same(expected, figure.Value);
        Assert.Equal((images, reference), (figure.Images, figure.ReferenceImages));
    }

    private static void Same(double expected, double actual) => Assert.Equal(expected, actual, 1e-9 * Math.Max(1, Math.Abs(expected)));
}
