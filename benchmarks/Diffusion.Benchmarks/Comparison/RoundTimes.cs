using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>What rounds took that eager and this library ran in turn, in seconds.</summary>
/// <param name="Eager">Eager, by round.</param>
/// <param name="Ours">This library in each number format, by round.</param>
internal sealed record RoundTimes(IReadOnlyList<double> Eager, IReadOnlyDictionary<NumberFormat, IReadOnlyList<double>> Ours)
{
    /// <summary>Train steps. Each run of this library has a network of its own: a trainer takes over the memory of the weights.</summary>
    /// <param name="network">The network.</param>
    /// <param name="least">The fewest rounds.</param>
    /// <param name="budget">No round begins after this time, once there are that many.</param>
    public static RoundTimes OfTrainSteps(ComparedNetwork network, int least, TimeSpan budget)
    {
        using var images = new RandomImages(network.Image, network.TrainBatch);
        using var baseline = network.Eager();
        using var eager = new EagerTrainer(baseline, gradientClip: 1);
        var contenders = new List<(NumberFormat Format, IDisposable Network, OwnTraining Training)>();
        try
        {
            foreach (var format in NumberFormats.All)
            {
                var own = network.Ours();
                if (OwnTraining.Start(own, images, format, gradientClip: 1) is { } training)
                {
                    contenders.Add((format, own, training));
                }
                else
                {
                    own.Dispose();
                }
            }

            return Of(() => eager.Step(images.All), contenders.ConvertAll(contender => (contender.Format, (Action)contender.Training.Step)), 1, least, budget);
        }
        finally
        {
            contenders.ForEach(contender => contender.Training.Dispose());
            contenders.ForEach(contender => contender.Network.Dispose());
        }
    }

    /// <summary>Reverse steps.</summary>
    /// <param name="networks">The network.</param>
    /// <param name="batch">The images of a step.</param>
    /// <param name="least">The fewest rounds.</param>
    /// <param name="budget">No round begins after this time, once there are that many.</param>
    public static RoundTimes OfReverseSteps(NetworkPair networks, int batch, int least, TimeSpan budget)
    {
        using var generator = new Generator(1, CPU);
        using var schedule = new EagerSchedule();
        using var noisy = randn(networks.Image.Batch(batch), ScalarType.Float32, generator: generator);
        networks.Eager.eval();
        var contenders = NumberFormats.All.Select(format => (Format: format, Run: OwnSampling.Start(networks.Ours, noisy.shape, format))).Where(contender => contender.Run is not null).ToList();
        try
        {
            return Of(() => EagerSampler.Step(networks.Eager, schedule, noisy, 500).Dispose(), contenders.ConvertAll(contender => (contender.Format, (Action)contender.Run!.Step)), 2, least, budget);
        }
        finally
        {
            contenders.ForEach(contender => contender.Run!.Dispose());
        }
    }

    private static RoundTimes Of(Action eager, List<(NumberFormat Format, Action Step)> ours, int warmUps, int least, TimeSpan budget)
    {
        var seconds = Interleaved.Seconds([eager, .. ours.Select(contender => contender.Step)], warmUps, least, budget);
        return new(seconds[0], ours.Select((contender, i) => (contender.Format, Seconds: seconds[i + 1])).ToDictionary(entry => entry.Format, entry => entry.Seconds));
    }
}
