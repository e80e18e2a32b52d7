namespace Diffusion.Benchmarks;

/// <summary>How large the measured network is: the reference network of 10.2 million parameters for 28×28, or the smallest of its kind, which shows that a program runs.</summary>
internal sealed record ReferenceSize(EagerUNetOptions Network, int Image, int TrainBatch, int SampleBatch)
{
    public static ReferenceSize Full { get; } = new(new EagerUNetOptions(), 28, 64, 16);

    public static ReferenceSize Quick { get; } = new(new EagerUNetOptions { DownChannels = [32, 32], MidChannels = [32, 32], Downsample = [true], Layers = 1 }, 8, 2, 2);

    /// <summary>What tables call the network.</summary>
    public string Name => this == Quick ? "the smallest network of the kind (quick: the numbers mean nothing)" : "the reference network";

    public static ReferenceSize Of(bool quick) => quick ? Quick : Full;
}
