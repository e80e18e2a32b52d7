using System.Globalization;
using Diffusion.Evaluation;
using Diffusion.Imaging;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary><c>sensitivity</c>: which figures of quality see which faults of images, and how the Fréchet distance of real images depends on their number. No network is trained.</summary>
internal static class SensitivityCommand
{
    private const string Digits = "samples/data/mnist";
    private const int PictureColumns = 20;
    private const int Repetitions = 5;

    private static readonly int[] s_counts = [100, 200, 500, 1000, 2000, 5000, 10_000];

    /// <returns>0, or 2 where the arguments are wrong.</returns>
    public static int Run(Arguments arguments)
    {
        var (folder, quick, picture) = (arguments.Text("--mnist") ?? Digits, arguments.Flag("--quick"), arguments.Text("--picture"));
        var count = arguments.Number("--images", quick ? 100 : 2000);
        arguments.End();
        using var features = ImageClassifier.Digits();
        using var test = Mnist.Open(folder, Split.Test);
        using var training = Mnist.Open(folder, Split.Train);
        var sets = new SensitivitySets(All(test), [.. test.Labels], count);
        Console.WriteLine($"Features: {features.Name}. {count} images against {count} other test images, which take the place of training images.\n\n{Sets(features, sets)}\n");
        Console.WriteLine($"Training images against all {test.Count} test images; the mean of up to {Repetitions} sets that share no image, and the smallest and largest.\n\n{Counts(features, test, training, quick ? s_counts[..2] : s_counts)}");
        if (picture is not null)
        {
            Picture(sets, picture);
        }

        return 0;
    }

    /// <summary>A row for each fault.</summary>
    private static string Sets(ImageClassifier features, SensitivitySets sets)
    {
        var (images, labels) = sets.Reference();
        using var reference = Measured(features, images, labels);
        return string.Join('\n',
        [
            "| images | Fréchet distance | kernel distance | precision | recall | density | coverage | Inception score | label accuracy | nearest, pixels | nearest, features | copies, pixels | copies, features |",
            "|---|---|---|---|---|---|---|---|---|---|---|---|---|",
            .. SensitivitySets.Names.Select(name => Row(features, sets, name, reference)),
        ]);
    }

    private static string Row(ImageClassifier features, SensitivitySets sets, string name, MeasuredSet reference)
    {
        var (images, labels) = sets.Create(name);
        using var set = Measured(features, images, labels);
        var figures = SetFigures.Of(set, reference);
        return string.Create(CultureInfo.InvariantCulture, $"| {name} | {figures.Frechet.Value:0.0} | {figures.Kernel.Value:0} | {figures.Quality.Precision:0.00} | {figures.Quality.Recall:0.00} | {figures.Spread.Density:0.00} | {figures.Spread.Coverage:0.00} ")
            + string.Create(CultureInfo.InvariantCulture, $"| {figures.Score.Mean:0.00} | {figures.Accuracy:0.000} | {figures.NearestPixels.Median:0.0} | {figures.NearestFeatures.Median:0.0} | {figures.NearestPixels.ShareOfCopies:0.00} | {figures.NearestFeatures.ShareOfCopies:0.00} |");
    }

    /// <summary>A row for each number of images.</summary>
    private static string Counts(ImageClassifier features, Mnist test, Mnist training, int[] counts)
    {
        using var reference = Measured(features, All(test), test.Labels);
        using var statistics = FeatureStatistics.Of(reference.Features, "test images");
        return string.Join('\n',
        [
            "| images | Fréchet distance | bias | distance − bias | kernel distance |",
            "|---|---|---|---|---|",
            .. counts.Select(count => Row(features, training, count, reference, statistics)),
        ]);
    }

    private static string Row(ImageClassifier features, Mnist training, int count, MeasuredSet reference, FeatureStatistics statistics)
    {
        var (distances, biases, kernels) = (new List<double>(), new List<double>(), new List<DistanceEstimate>());
        var order = new Permutation(training.Count, seed: 0); // the file has an order of its own, in which images at even distances are by half of the writers
        for (var i = 0; i < Repetitions; i++)
        {
            var indices = Enumerable.Range(i * count, count).Select(each => order.At(each)).ToArray();
            using var batch = training.Read(indices);
            using var set = Measured(features, EightBitImages.From(batch.Images), indices.Select(each => training.Labels[each]));
            using var of = FeatureStatistics.Of(set.Features, "training images");
            var distance = FrechetDistance.Between(of, statistics);
            distances.Add(distance.Value);
            biases.Add(distance.Bias ?? double.NaN);
            kernels.Add(KernelDistance.Between(set.Features, reference.Features, new KernelDistanceOptions { SubsetSize = Math.Min(1000, count) }));
        }

        return string.Create(
            CultureInfo.InvariantCulture,
            $"| {count} | {distances.Average():0.0} ({distances.Min():0.0} to {distances.Max():0.0}) | {biases.Average():0.0} | {distances.Average() - biases.Average():0.0} | {kernels.Average(each => each.Value):0} ({kernels.Min(each => each.Value):0} to {kernels.Max(each => each.Value):0}) |");
    }

    /// <summary>The first images of the reference and of each set, a row each.</summary>
    private static void Picture(SensitivitySets sets, string path)
    {
        using var scope = NewDisposeScope();
        var rows = new[] { sets.Reference().Images }.Concat(SensitivitySets.Names.Select(name => sets.Create(name).Images)).Select(images => images.narrow(0, 0, PictureColumns));
        ImageGrid.Save(path, EightBitImages.ToFloat(cat([.. rows])), PictureColumns);
        Console.WriteLine($"\nWrote {path}: the reference, then the sets, a row each.");
    }

    private static MeasuredSet Measured(ImageClassifier features, Tensor images, IEnumerable<long> labels)
    {
        using (images)
        {
            return new MeasuredSet(features, images, labels);
        }
    }

    private static Tensor All(Mnist source)
    {
        using var batch = source.Read([.. Enumerable.Range(0, source.Count)]);
        return EightBitImages.From(batch.Images);
    }
}
