using System.Globalization;
using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary><c>roofline [--quick]</c>: the multiply-adds a second of the reference network beside those of large matrix products, measured in the same run.</summary>
internal static class RooflineCommand
{
    public static int Run(Arguments arguments)
    {
        var quick = arguments.Flag("--quick");
        arguments.End();
        var (size, budget) = (ReferenceSize.Of(quick), TimeSpan.FromSeconds(quick ? 0.05 : 8));
        using var networks = new ReferencePair(size.Network, size.Image);
        var perImage = UNetSummary.Of(networks.Ours.Options).MultiplyAdds;
        var roof = NumberFormats.All.ToDictionary(format => format, format => GemmRate.Measure(format, quick ? 64 : 2048, budget / 4));
        Console.WriteLine($"""
            {Machine.Line}

            Measured is {size.Name}, {networks.Image}: {perImage.ToString("N0", CultureInfo.InvariantCulture)} multiply-adds an image forward, three times as many in a train step
            (forward, to the inputs, to the weights). The roof is the product of two square matrices of {(quick ? 64 : 2048)}. Times are medians, the roof is the best.

            | what | batch | format | time (ms) | multiply-adds (10⁹/s) | roof (10⁹/s) | share |
            |---|---|---|---|---|---|---|
            """);
        foreach (var format in NumberFormats.All)
        {
            Forward(networks, format, size.SampleBatch, perImage, roof[format], budget);
            TrainStep(size, format, perImage, roof[format], budget);
            Reverse(networks, format, size.SampleBatch, perImage, roof[format], budget);
        }

        return 0;
    }

    private static void Forward(ReferencePair networks, NumberFormat format, int batch, long perImage, double roof, TimeSpan budget)
    {
        using var images = new RandomImages(networks.Image, batch);
        using var noGradients = no_grad();
        var schedule = new LinearNoiseSchedule();
        var denoiser = NumberFormats.Sampling(networks.Ours, schedule, format);
        Row("forward (a denoiser's call)", batch, format, denoiser is null ? null : () => denoiser.Denoise(images.All, schedule.LevelAt(500)).Dispose(), (double)perImage * batch, roof, budget);
    }

    private static void TrainStep(ReferenceSize size, NumberFormat format, long perImage, double roof, TimeSpan budget)
    {
        using var own = new ReferencePair(size.Network, size.Image);
        using var images = new RandomImages(own.Image, size.TrainBatch);
        using var training = OwnTraining.Start(own.Ours, images, format, gradientClip: 1);
        Row("train step", size.TrainBatch, format, training is null ? null : training.Step, 3.0 * perImage * size.TrainBatch, roof, budget);
    }

    private static void Reverse(ReferencePair networks, NumberFormat format, int batch, long perImage, double roof, TimeSpan budget)
    {
        using var sampling = NumberFormats.Sampling(networks.Ours, new LinearNoiseSchedule(), format) is { } denoiser ? new OwnSampling(new DdpmSampler(), denoiser, networks.Image.Batch(batch)) : null;
        Row("reverse step", batch, format, sampling is null ? null : sampling.Step, (double)perImage * batch, roof, budget);
    }

    private static void Row(string what, int batch, NumberFormat format, Action? action, double multiplyAdds, double roof, TimeSpan budget)
    {
        var head = $"| {what} | {batch} | {format.Short()} ";
        if (action is null)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{head}| not available | | {roof / 1e9:0.0} | |"));
            return;
        }

        var seconds = Interleaved.Seconds(action, 1, 3, budget).Median;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{head}| {1000 * seconds:0.0} | {multiplyAdds / seconds / 1e9:0.0} | {roof / 1e9:0.0} | {multiplyAdds / seconds / roof:0%} |"));
    }
}
