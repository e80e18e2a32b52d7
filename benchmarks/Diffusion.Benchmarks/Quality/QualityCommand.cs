using System.Diagnostics;
using System.Globalization;
using Diffusion.Configuration;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>
/// <c>quality &lt;configuration&gt;</c>: whether 20 steps of DPM-Solver++ draw images as good as all steps of DDPM with the same network, by the Fréchet distance of random features to real images.
/// </summary>
internal static class QualityCommand
{
    private const int FewSteps = 20;

    /// <returns>0 where the distance of 20 steps is at most 1.1 times that of all (and with <c>--quick</c>, where it means nothing), 1 where it is more, 2 where the arguments are wrong.</returns>
    public static int Run(Arguments arguments)
    {
        var settings = QualitySettings.Of(arguments);
        Console.WriteLine($"""
            {Machine.Line}

            {settings.Images} images, seeds: {settings.Seeds}; mean (smallest–largest). Features are {RandomFeatures.Count} means over random 3×3 convolutions of fixed seed; distances compare with each other only.
            Each set is measured against up to 10,000 real images; no guidance, labels in turn where the network is told any; x̂₀ is clipped; averaged weights; values rounded to 256 levels, as those of files.
            {(settings.Quick ? "Quick: the numbers mean nothing.\n" : "")}
            """);
        using var images = settings.Options.Data.Open();
        using var heldOut = settings.Options.Data.OpenValidation();
        Console.WriteLine($"{settings.Options.Data.Kind}: {images.Count} training images, {(heldOut is null ? "none" : $"{heldOut.Count} images")} held out{(heldOut is null ? ": training images instead" : "")}.");
        using var features = new RandomFeatures(settings.Options.Data.Channels);
        using var training = RealFeatures.Of(images, settings.Images, features);
        using var kept = RealFeatures.Of(heldOut ?? images, settings.Images, features);
        using var network = Network(settings, images);
        var report = Report(settings, network, features, kept, training);
        Console.WriteLine($"\n{report}");
        return report.Passed || settings.Quick ? 0 : 1;
    }

    private static QualityNetwork Network(QualitySettings settings, IImageSource images)
    {
        if (settings.Weights is { } file)
        {
            return QualityNetwork.Load(settings.Options, file);
        }

        var watch = Stopwatch.StartNew();
        var network = QualityNetwork.Train(settings.Options, images);
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Trained for {settings.Options.Training.StepsFor(images.Count)} steps of {settings.Options.Training.BatchSize} images in {watch.Elapsed.TotalSeconds:0} s."));
        return network;
    }

    private static QualityReport Report(QualitySettings settings, QualityNetwork network, RandomFeatures features, RealFeatures heldOut, RealFeatures training)
    {
        var real = (FrechetDistance.Between(training.Few, heldOut.Many), FrechetDistance.Between(heldOut.Few, training.Many));
        var spacing = Spacing(settings.Options.Diffusion);
        return new QualityReport(Of("ddpm", null, null), [Of("dpm++2m", FewSteps, spacing), Of("dpm++2m-sde", FewSteps, spacing)], [Of("dpm++2m", FewSteps, StepSpacing.Trailing.Name), Of("ddim", FewSteps, null)], real, heldOut.Floor());

        SamplerQuality Of(string name, int? steps, string? spacing)
        {
            var drawing = new QualityDrawing(settings, network, settings.Options with { Sampling = new() { Sampler = name, Steps = steps, Spacing = spacing } });
            var (near, far) = (new List<double>(), new List<double>());
            foreach (var seed in Enumerable.Range(0, settings.Seeds))
            {
                using var drawn = drawing.Draw(seed);
                using var values = features.Of(drawn);
                near.Add(FrechetDistance.Between(values, heldOut.Many));
                far.Add(FrechetDistance.Between(values, training.Many));
                Console.Error.WriteLine($"{drawing.Name}: seed {seed} done"); // all of this takes long
            }

            return new SamplerQuality(drawing.Name, drawing.Calls, drawing.Seconds, near, far);
        }
    }

    /// <summary>What docs/choosing-a-sampler.md says of multistep solvers and schedules.</summary>
    private static string Spacing(DiffusionOptions diffusion) =>
        (diffusion.Schedule.ToUpperInvariant() is "LINEAR" or "SCALED-LINEAR" ? StepSpacing.LogSnr : StepSpacing.Trailing).Name;
}
