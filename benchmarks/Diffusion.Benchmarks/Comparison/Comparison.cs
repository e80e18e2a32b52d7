using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Measures this library against the eager baseline, in turn in one process; memory in processes of their own.</summary>
internal sealed class Comparison(ComparisonSettings settings)
{
    private readonly Dictionary<string, Measurement> _measured = new(StringComparer.Ordinal);
    private readonly ReferenceSize _size = settings.Size;

    /// <summary>The measurements by the key of their goal; those that could not be made are missing.</summary>
    public static IReadOnlyDictionary<string, Measurement> Run(ComparisonSettings settings)
    {
        var comparison = new Comparison(settings);
        using var networks = new ReferencePair(settings.Size.Network, settings.Size.Image);
        comparison.Memory("peak_memory", keep: false);
        comparison.Memory("kept_memory", keep: true);
        comparison.TrainStep(networks);
        comparison.Reverse(networks, settings.Size.SampleBatch, "reverse_b16", 0.2);
        comparison.Reverse(networks, 1, "reverse_b1", 0.1);
        comparison.Optimizer(networks);
        return comparison._measured;
    }

    private void Memory(string key, bool keep)
    {
        var quick = settings == ComparisonSettings.Quick;
        if (PeakMemory.OfEager(quick, keep) is not { } eager)
        {
            return;
        }

        foreach (var format in NumberFormats.All.Where(format => NumberFormats.Training(new TrainerOptions(), format) is not null))
        {
            if (PeakMemory.OfOurs(format, quick, keep) is { } ours)
            {
                _measured[$"{key}.{format.Short()}"] = Measurement.Of([ours], [eager]);
            }
        }
    }

    private void TrainStep(ReferencePair networks)
    {
        using var images = new RandomImages(networks.Image, _size.TrainBatch);
        using var eager = new EagerTrainer(networks.Eager, gradientClip: 1);
        var perImage = Diffusion.Models.UNetSummary.Of(networks.Ours.Options).MultiplyAdds;
        var contenders = new List<(NumberFormat Format, ReferencePair Networks, OwnTraining Training)>();
        try
        {
            foreach (var format in NumberFormats.All)
            {
                // Each run has a network of its own: a trainer takes over the memory of the weights.
                var own = new ReferencePair(_size.Network, _size.Image);
                if (OwnTraining.Start(own.Ours, images, format, gradientClip: 1) is { } training)
                {
                    contenders.Add((format, own, training));
                }
                else
                {
                    own.Dispose();
                }
            }

            // A bfloat16 run that computes in float32 has no share of the rate of products of bfloat16.
            bool IsOfItsFormat(NumberFormat format) => format == NumberFormat.Fp32 || Processor.MultipliesBFloat16;
            var before = contenders.ConvertAll(contender => IsOfItsFormat(contender.Format) ? Rate(contender.Format) : 0);
            var seconds = Interleaved.Seconds([() => eager.Step(images.All), .. contenders.Select(contender => (Action)contender.Training.Step)], 1, settings.Least, settings.Share(1));
            for (var i = 0; i < contenders.Count; i++)
            {
                var (format, ours) = (contenders[i].Format, seconds[i + 1]);
                _measured[$"train_step.{format.Short()}"] = Measurement.Of(ours, seconds[0]);
                if (!IsOfItsFormat(format))
                {
                    continue;
                }

                var rate = Math.Max(before[i], Rate(format));
                var multiplyAdds = 3.0 * perImage * _size.TrainBatch; // forward, and backward to the inputs and to the weights
                _measured[$"gemm_share.train_{format.Short()}"] = new Measurement(new Samples(ours.Select(time => multiplyAdds / time / rate)), null, new Samples(ours));
            }
        }
        finally
        {
            contenders.ForEach(contender => contender.Training.Dispose());
            contenders.ForEach(contender => contender.Networks.Dispose());
        }
    }

    private double Rate(NumberFormat format) => GemmRate.Measure(format, settings.GemmSize, settings.Share(0.02));

    private void Reverse(ReferencePair networks, int batch, string key, double share)
    {
        using var generator = new Generator(1, CPU);
        using var schedule = new EagerSchedule();
        using var noisy = randn(networks.Image.Batch(batch), ScalarType.Float32, generator: generator);
        var denoisers = NumberFormats.All.Select(format => (format, NumberFormats.Sampling(networks.Ours, new LinearNoiseSchedule(), format)));
        var contenders = denoisers.Where(entry => entry.Item2 is not null)
            .Select(entry => (Format: entry.format, Run: new OwnSampling(new DdpmSampler(), entry.Item2!, noisy.shape))).ToList();
        var seconds = Interleaved.Seconds([() => EagerSampler.Step(networks.Eager, schedule, noisy, 500).Dispose(), .. contenders.Select(contender => (Action)contender.Run.Step)], 2, settings.Least, settings.Share(share));
        for (var i = 0; i < contenders.Count; i++)
        {
            _measured[$"{key}.{contenders[i].Format.Short()}"] = Measurement.Of(seconds[i + 1], seconds[0]);
        }

        if (batch == 1)
        {
            _measured["managed_memory"] = Allocated(contenders[0].Run.Step);
        }

        contenders.ForEach(contender => contender.Run.Dispose());
    }

    private static Measurement Allocated(Action step)
    {
        const int steps = 10;
        const double kibibyte = 1024;
        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < steps; i++)
        {
            step();
        }

        var bytes = (GC.GetTotalAllocatedBytes(precise: true) - before) / (double)steps;
        return new Measurement(new Samples([bytes / kibibyte]), null, new Samples([bytes]));
    }

    /// <summary>What follows the backward pass: clipping by the norm, Adam, the average of the weights.</summary>
    private void Optimizer(ReferencePair networks)
    {
        using var batch = new RandomImages(networks.Image, 1);
        using var eager = new EagerTrainer(networks.Eager, gradientClip: 1);
        eager.Step(batch.All);
        using var ours = new OwnUpdate(networks.Ours, gradientClip: 1);
        var seconds = Interleaved.Seconds([eager.Update, ours.Run], 3, settings.Least, settings.Share(0.1));
        _measured["optimizer"] = Measurement.Of(seconds[1], seconds[0]);
    }
}
