using static TorchSharp.torch;

namespace Diffusion;

/// <summary>
/// Seeds of layers that draw random numbers, as dropout does, one for each call, on this thread. Within a training step they come from the seed of the run, the step and how many calls came
/// before in the forward pass, so that they do not depend on who else draws, on how a batch is split, or on other processes; elsewhere from libtorch's global generator.
/// </summary>
internal static class LayerSeeds
{
    [ThreadStatic]
    private static Func<LayerSeed>? t_next;

    /// <summary>The seed of a call.</summary>
    public static LayerSeed Next() => (t_next ?? Global)();

    /// <summary>Takes seeds from here on from one of a step.</summary>
    /// <param name="seed">Of the run and the step.</param>
    /// <param name="firstImage">The number of the first image of this part of the batch.</param>
    public static LayerSeedSource OfStep(ulong seed, long firstImage)
    {
        var calls = 0L;
        return Use(() => new LayerSeed(SeedMixer.Mix(unchecked((long)seed), SeedMixer.Purpose.LayerCall, calls++), firstImage));
    }

    /// <summary>Goes on as before and writes the seeds down.</summary>
    /// <param name="seeds">Where they are added.</param>
    public static LayerSeedSource Record(List<LayerSeed> seeds)
    {
        var before = t_next ?? Global;
        return Use(() =>
        {
            var seed = before();
            seeds.Add(seed);
            return seed;
        });
    }

    /// <summary>Gives the same seeds again, for the same calls.</summary>
    /// <param name="seeds">Of <see cref="Record"/>.</param>
    public static LayerSeedSource Replay(IReadOnlyList<LayerSeed> seeds)
    {
        var at = 0;
        return Use(() => at < seeds.Count
            ? seeds[at++]
            : throw new InvalidOperationException($"The second run of a part of a network draws more often than the first, which drew {seeds.Count} times: it must do the same."));
    }

    internal static void Restore(Func<LayerSeed>? next) => t_next = next;

    private static LayerSeedSource Use(Func<LayerSeed> next)
    {
        var before = t_next;
        t_next = next;
        return new LayerSeedSource(before);
    }

    private static LayerSeed Global()
    {
        using var drawn = randint(0, long.MaxValue, [1], ScalarType.Int64, CPU);
        return new LayerSeed(unchecked((ulong)drawn.item<long>()), 0);
    }
}
