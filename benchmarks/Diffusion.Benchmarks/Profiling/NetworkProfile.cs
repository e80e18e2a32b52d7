using Diffusion.Models;
using static TorchSharp.torch;

namespace Diffusion.Benchmarks;

/// <summary>Where the time of a network goes, for one batch.</summary>
internal sealed class NetworkProfile
{
    private NetworkProfile(IReadOnlyList<(string Block, double InPlace, Isolated Alone)> blocks, IReadOnlyList<(string Family, int Count, Isolated Alone)> families) =>
        (Blocks, Families) = (blocks, families);

    /// <summary>Each block: forward seconds within the running network, by hooks, and of its parts run again alone.</summary>
    public IReadOnlyList<(string Block, double InPlace, Isolated Alone)> Blocks { get; }

    /// <summary>Each kind of operator: how many there are, and the seconds of all, run alone at their shapes.</summary>
    public IReadOnlyList<(string Family, int Count, Isolated Alone)> Families { get; }

    /// <summary>Measures.</summary>
    /// <param name="network">The network.</param>
    /// <param name="images">[B, C, H, W].</param>
    /// <param name="backward">Whether backward passes are timed as well.</param>
    /// <param name="repeats">How often each piece is timed.</param>
    /// <param name="format">What the network computes in.</param>
    public static NetworkProfile Of(UNet network, Tensor images, bool backward, int repeats, NumberFormat format)
    {
        using var precision = MixedPrecision.Use(format.Precision());
        using var timesteps = arange(images.shape[0], ScalarType.Int64);
        var (calls, inPlace) = InPlace(network, images, timesteps, backward, repeats);
        var pieces = calls.Where(call => call.Depth == 0).GroupBy(call => call.Block);
        var blocks = pieces.Select(block => (block.Key, inPlace[block.Key], Sum(block.Select(call => Isolated.Time(call.Call, call.Inputs, backward, repeats)))));
        return new([.. blocks], [.. Layers(calls, backward, repeats).Concat(Operators(OperatorRuns.Of(network.Options, (int)images.shape[0], calls), backward, repeats, format == NumberFormat.Bf16 ? ScalarType.BFloat16 : ScalarType.Float32))]);
    }

    private static (IReadOnlyList<ModuleCall> Calls, Dictionary<string, double> Forward) InPlace(UNet network, Tensor images, Tensor timesteps, bool gradients, int repeats)
    {
        using var mode = set_grad_enabled(gradients);
        using var recorder = new ModuleRecorder(network);
        var runs = new List<Dictionary<string, double>>();
        for (var i = -1; i < repeats; i++)
        {
            using var scope = NewDisposeScope();
            recorder.Clear();
            network.call(images, timesteps);
            if (i >= 0)
            {
                runs.Add(recorder.Calls.Where(call => call.Depth == 0).GroupBy(call => call.Block).ToDictionary(block => block.Key, block => block.Sum(call => call.Seconds)));
            }
        }

        return (recorder.Calls, runs[0].Keys.ToDictionary(block => block, block => new Samples(runs.Select(run => run[block])).Median));
    }

    /// <summary>Layers of the same kind and shapes take the same time: each is run once.</summary>
    private static IEnumerable<(string Family, int Count, Isolated Alone)> Layers(IReadOnlyList<ModuleCall> calls, bool backward, int repeats) => calls
        .Where(call => call.IsLeaf)
        .GroupBy(call => (Family: LayerFamily.Of(call.Module), Layouts: string.Join(" ", call.Inputs.Concat(call.Module.parameters().Select(TensorLayout.Of)))))
        .Select(group => (group.Key.Family, Count: group.Count(), Alone: group.Count() * Isolated.Time(group.First().Call, group.First().Inputs, backward, repeats)))
        .GroupBy(entry => entry.Family)
        .Select(family => (family.Key, family.Sum(entry => entry.Count), Sum(family.Select(entry => entry.Alone))));

    private static IEnumerable<(string Family, int Count, Isolated Alone)> Operators(IEnumerable<OperatorRun> runs, bool backward, int repeats, ScalarType type) => runs
        .GroupBy(run => run.Key)
        .Select(group => (group.First().Family, Count: group.Count(), Alone: group.Count() * Isolated.Time(group.First().Run, group.First().Layouts(type), backward, repeats)))
        .GroupBy(entry => entry.Family)
        .Select(family => (family.Key, family.Sum(entry => entry.Count), Sum(family.Select(entry => entry.Alone))));

    private static Isolated Sum(IEnumerable<Isolated> times) => times.Aggregate(default(Isolated), (sum, time) => sum + time);
}
