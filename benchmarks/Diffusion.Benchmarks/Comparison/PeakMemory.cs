using System.Globalization;

namespace Diffusion.Benchmarks;

/// <summary>
/// The peak memory of training, each contender in a process of its own: what a few train steps need at most beyond what the process has in use before its
/// network is made. Weights, gradients, optimizer state, average and activations are in it, the runtime and libtorch are not.
/// </summary>
internal static class PeakMemory
{
    public const string Verb = "peak-memory";

    private const string Eager = "eager";
    private const string QuickFlag = "--quick";
    private const string KeepFlag = "--keep";
    private const string NetworkOption = "--network";
    private const int Kept = 2 << 20; // the largest block that this library's processes keep
    private const int Steps = 3;

    /// <summary>Measures the baseline in a process of its own.</summary>
    /// <param name="network">The name of the network.</param>
    /// <param name="quick">Whether it is the smallest network.</param>
    /// <param name="keep">Whether the process keeps all freed memory, or else leaves the system's allocator as it is.</param>
    /// <returns>Bytes; <see langword="null"/> where the system does not tell, or the process took too long.</returns>
    public static long? OfEager(string network, bool quick, bool keep) => Ask(network, Eager, quick, keep);

    /// <summary>Measures this library in a process of its own.</summary>
    /// <param name="network">The name of the network.</param>
    /// <param name="format">In what it trains.</param>
    /// <param name="quick">Whether it is the smallest network.</param>
    /// <param name="keep">Whether the process keeps all freed memory, or else blocks up to 2 MiB.</param>
    public static long? OfOurs(string network, NumberFormat format, bool quick, bool keep) => Ask(network, format.ToString(), quick, keep);

    /// <summary>What the process does: <c>peak-memory eager|Fp32|Bf16 [--network NAME] [--keep] [--quick]</c>.</summary>
    public static int Run(Arguments arguments)
    {
        var network = ComparedNetworks.Named(arguments.Text(NetworkOption) ?? ComparedNetworks.Course, arguments.Flag(QuickFlag));
        var keep = arguments.Flag(KeepFlag);
        var contender = arguments.Rest().Single();
        if (keep)
        {
            DiffusionRuntime.KeepFreedMemory();
        }
        else if (contender != Eager)
        {
            DiffusionRuntime.KeepFreedMemory(Kept);
        }

        using var images = new RandomImages(network.Image, network.TrainBatch);
        var before = ResidentMemory.Now;
        using var measured = contender == Eager ? network.Eager() : network.Ours();
        if (contender == Eager)
        {
            using var training = new EagerTrainer(measured, gradientClip: 1);
            Repeat(() => training.Step(images.All));
        }
        else
        {
            using var training = OwnTraining.Start(measured, images, Enum.Parse<NumberFormat>(contender), gradientClip: 1)
                ?? throw new NotSupportedException($"This library does not train in {contender}.");
            Repeat(training.Step);
        }

        Console.WriteLine((ResidentMemory.Peak - before).ToString(CultureInfo.InvariantCulture));
        return 0;
    }

    private static void Repeat(Action step)
    {
        for (var i = 0; i < Steps; i++)
        {
            step();
        }
    }

    private static long? Ask(string network, string contender, bool quick, bool keep)
    {
        if (!ResidentMemory.IsMeasured)
        {
            return null;
        }

        string[] arguments = [Verb, contender, NetworkOption, network, .. quick ? [QuickFlag] : Array.Empty<string>(), .. keep ? [KeepFlag] : Array.Empty<string>()];
        return ChildProcess.Run(arguments, TimeSpan.FromMinutes(5)) is { } text ? long.Parse(text.AsSpan().Trim(), CultureInfo.InvariantCulture) : null;
    }
}
