using System.Globalization;
using Diffusion.Models;

namespace Diffusion.Benchmarks;

/// <summary>Measures one point, in a process of its own: <c>scaling-point KIND BATCH SIZE IMAGES QUICK</c> prints seconds and the bytes of memory beyond what the process had before.</summary>
internal static class ScalingMeasurement
{
    public const string Verb = "scaling-point";

    /// <summary>Sampling steps of the images that are made from start to end.</summary>
    public const int Steps = 5;

    private static readonly TimeSpan s_budget = TimeSpan.FromSeconds(3);

    /// <summary>What this process measured, as it prints it.</summary>
    public static (double Seconds, double Bytes) Parse(string output)
    {
        var parts = output.Trim().Split(' ');
        return (double.Parse(parts[0], CultureInfo.InvariantCulture), double.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    public static int Run(Arguments arguments)
    {
        var point = ScalingPoint.Parse(arguments.Rest());
        DiffusionRuntime.EnsureLoaded();
        var before = ResidentMemory.IsMeasured ? ResidentMemory.Now : 0;
        var seconds = Measure(point);
        var bytes = ResidentMemory.IsMeasured ? ResidentMemory.Peak - before : 0;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{seconds:r} {bytes}"));
        return 0;
    }

    /// <summary>The small network of the sampling series.</summary>
    public static UNet Small(int size) => UNetBuilder.ForImages(channels: 1, size: size).Down(16, layers: 1).Down(32, layers: 1).Mid(32).Build();

    private static double Measure(ScalingPoint point)
    {
        if (point.Kind == ScalingKind.Sampling)
        {
            using var unet = Small(point.Size);
            var denoiser = new NetworkDenoiser(unet, new LinearNoiseSchedule());
            return Interleaved.Seconds(() => Sample(denoiser, point), 0, 1, TimeSpan.Zero).Median;
        }

        using var networks = new ReferencePair(ReferenceSize.Of(point.Quick).Network, point.Size);
        using var images = new RandomImages(networks.Image, point.Batch);
        using var training = point.Kind == ScalingKind.TrainStep ? OwnTraining.Start(networks.Ours, images) : null;
        using var sampling = new OwnSampling(new DdpmSampler(), new NetworkDenoiser(networks.Ours, new LinearNoiseSchedule()), networks.Image.Batch(point.Batch));
        Action step = training is null ? sampling.Step : training.Step;
        return Interleaved.Seconds(step, 1, 1, s_budget, most: 20).Median;
    }

    /// <summary>Makes all images, a batch at a time: memory is that of a batch.</summary>
    private static void Sample(IDenoiser denoiser, ScalingPoint point)
    {
        var sampler = new DdimSampler(Steps);
        for (var made = 0; made < point.Images; made += point.Batch)
        {
            sampler.Sample(denoiser, [Math.Min(point.Batch, point.Images - made), 1, point.Size, point.Size], seed: made).Dispose();
        }
    }
}
