using Diffusion.Models;

namespace Diffusion.Benchmarks;

/// <summary>Measures this library against the eager baseline, in turn in one process; memory in processes of their own.</summary>
internal sealed class Comparison
{
    private readonly Dictionary<string, Measurement> _measured = new(StringComparer.Ordinal);
    private readonly ComparedNetwork _network;
    private readonly ComparisonSettings _settings;
    private readonly bool _quick;
    private readonly string _prefix;

    private Comparison(ComparedNetwork network, bool quick)
    {
        (_network, _quick) = (network, quick);
        _settings = ComparisonSettings.Of(network.Name, quick);
        _prefix = network is CourseNetwork ? "" : $"{network.Name}.";
    }

    /// <summary>The measurements by the key of their goal; those that could not be made are missing.</summary>
    /// <param name="network">The name of the network.</param>
    /// <param name="quick">Whether the smallest of its kind is measured.</param>
    public static IReadOnlyDictionary<string, Measurement> Run(string network, bool quick)
    {
        var comparison = new Comparison(ComparedNetworks.Named(network, quick), quick);
        comparison.Run();
        return comparison._measured.ToDictionary(entry => comparison._prefix + entry.Key, entry => entry.Value);
    }

    private void Run()
    {
        Memory("peak_memory", keep: false);
        if (_network is not CourseNetwork course)
        {
            Set("train_step", RoundTimes.OfTrainSteps(_network, _settings.Least, _settings.Share(1)));
            using var others = new NetworkPair(_network);
            Reverse(others, _network.SampleBatch, "reverse_b4", 0.25);
            Reverse(others, 1, "reverse_b1", 0.1);
            return;
        }

        Memory("kept_memory", keep: true);
        TrainStep(UNetSummary.Of(course.Options.Ours(course.Size)).MultiplyAdds);
        using var networks = new NetworkPair(_network);
        Reverse(networks, _network.SampleBatch, "reverse_b16", 0.2);
        Reverse(networks, 1, "reverse_b1", 0.1);
        _measured["managed_memory"] = Allocated(networks);
        Optimizer(networks);
    }

    private void Set(string key, RoundTimes times)
    {
        foreach (var (format, ours) in times.Ours)
        {
            _measured[$"{key}.{format.Short()}"] = Measurement.Of(ours, times.Eager);
        }
    }

    private void Memory(string key, bool keep)
    {
        if (PeakMemory.OfEager(_network.Name, _quick, keep) is not { } eager)
        {
            return;
        }

        foreach (var format in NumberFormats.All.Where(format => NumberFormats.Training(new TrainerOptions(), format) is not null))
        {
            if (PeakMemory.OfOurs(_network.Name, format, _quick, keep) is { } ours)
            {
                _measured[$"{key}.{format.Short()}"] = Measurement.Of([ours], [eager]);
            }
        }
    }

    /// <summary>Train steps, and the share of the rate of matrix products, which is measured before and after.</summary>
    private void TrainStep(long perImage)
    {
        // A bfloat16 run that computes in float32 has no share of the rate of products of bfloat16.
        NumberFormat[] formats = [.. NumberFormats.All.Where(format => format == NumberFormat.Fp32 || Processor.MultipliesBFloat16)];
        var before = Array.ConvertAll(formats, Rate);
        var times = RoundTimes.OfTrainSteps(_network, _settings.Least, _settings.Share(1));
        Set("train_step", times);
        var multiplyAdds = 3.0 * perImage * _network.TrainBatch; // forward, and backward to the inputs and to the weights
        foreach (var (format, earlier) in formats.Zip(before))
        {
            if (times.Ours.TryGetValue(format, out var ours))
            {
                var rate = Math.Max(earlier, Rate(format));
                _measured[$"gemm_share.train_{format.Short()}"] = new Measurement(new Samples(ours.Select(time => multiplyAdds / time / rate)), null, new Samples(ours));
            }
        }
    }

    private double Rate(NumberFormat format) => GemmRate.Measure(format, _settings.GemmSize, _settings.Share(0.02));

    private void Reverse(NetworkPair networks, int batch, string key, double share) =>
        Set(key, RoundTimes.OfReverseSteps(networks, batch, _settings.Least, _settings.Share(share)));

    private static Measurement Allocated(NetworkPair networks)
    {
        const int warmUps = 3;
        const int steps = 10;
        const double kibibyte = 1024;
        using var run = OwnSampling.Start(networks.Ours, networks.Image.Batch(1), NumberFormat.Fp32)!;
        Repeat(warmUps);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        Repeat(steps);
        var bytes = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)steps;
        return new Measurement(new Samples([bytes / kibibyte]), null, new Samples([bytes]));

        void Repeat(int times)
        {
            for (var i = 0; i < times; i++)
            {
                run.Step();
            }
        }
    }

    /// <summary>What follows the backward pass: clipping by the norm, Adam, the average of the weights.</summary>
    private void Optimizer(NetworkPair networks)
    {
        using var batch = new RandomImages(networks.Image, 1);
        using var eager = new EagerTrainer(networks.Eager, gradientClip: 1);
        eager.Step(batch.All);
        using var ours = new OwnUpdate(networks.Ours, gradientClip: 1);
        var seconds = Interleaved.Seconds([eager.Update, ours.Run], 3, _settings.Least, _settings.Share(0.1));
        _measured["optimizer"] = Measurement.Of(seconds[1], seconds[0]);
    }
}
