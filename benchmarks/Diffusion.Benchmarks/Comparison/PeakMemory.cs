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
    private const int Steps = 3;

    /// <summary>Measures the baseline in a process of its own.</summary>
    /// <returns>Bytes; <see langword="null"/> where the system does not tell, or the process took too long.</returns>
    public static long? OfEager(bool quick) => Ask(Eager, quick);

    /// <summary>Measures this library in a process of its own.</summary>
    public static long? OfOurs(NumberFormat format, bool quick) => Ask(format.ToString(), quick);

    /// <summary>What the process does: <c>peak-memory eager|Fp32|Bf16 [--quick]</c>.</summary>
    public static int Run(Arguments arguments)
    {
        var size = ReferenceSize.Of(arguments.Flag(QuickFlag));
        var contender = arguments.Rest().Single();
        using var images = new RandomImages(new ImageShape(size.Network.ImageChannels, size.Image, size.Image), size.TrainBatch);
        var before = ResidentMemory.Now;
        using var networks = new ReferencePair(size.Network, size.Image);
        if (contender == Eager)
        {
            using var training = new EagerTrainer(networks.Eager, gradientClip: 1);
            Repeat(() => training.Step(images.All));
        }
        else
        {
            using var training = OwnTraining.Start(networks.Ours, images, Enum.Parse<NumberFormat>(contender), gradientClip: 1)
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

    private static long? Ask(string contender, bool quick)
    {
        if (!ResidentMemory.IsMeasured)
        {
            return null;
        }

        string[] arguments = quick ? [Verb, contender, QuickFlag] : [Verb, contender];
        return ChildProcess.Run(arguments, TimeSpan.FromSeconds(60)) is { } text ? long.Parse(text.AsSpan().Trim(), CultureInfo.InvariantCulture) : null;
    }
}
