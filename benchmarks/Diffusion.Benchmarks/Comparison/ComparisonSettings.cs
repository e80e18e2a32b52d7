namespace Diffusion.Benchmarks;

/// <summary>What the comparison runs and how long it may take.</summary>
/// <param name="Size">The network and the batches.</param>
/// <param name="Least">The fewest rounds.</param>
/// <param name="Seconds">What the rounds of the train step may take; other parts take a set share of it.</param>
/// <param name="GemmSize">The size of the matrices whose product is the roof.</param>
internal sealed record ComparisonSettings(ReferenceSize Size, int Least, double Seconds, int GemmSize)
{
    public static ComparisonSettings Full { get; } = new(ReferenceSize.Full, 3, 90, 2048);

    public static ComparisonSettings Quick { get; } = new(ReferenceSize.Quick, 1, 0.2, 64);

    /// <summary>A part of the time.</summary>
    public TimeSpan Share(double share) => TimeSpan.FromSeconds(share * Seconds);
}
