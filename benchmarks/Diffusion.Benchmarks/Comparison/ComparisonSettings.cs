namespace Diffusion.Benchmarks;

/// <summary>How long the comparison of a network may take.</summary>
/// <param name="Least">The fewest rounds.</param>
/// <param name="Seconds">What the rounds of the train step may take; other parts take a set share of it.</param>
/// <param name="GemmSize">The size of the matrices whose product is the roof.</param>
internal sealed record ComparisonSettings(int Least, double Seconds, int GemmSize)
{
    private static readonly ComparisonSettings s_course = new(3, 90, 2048);
    private static readonly ComparisonSettings s_other = new(4, 30, 0); // no share of the rate of products
    private static readonly ComparisonSettings s_quick = new(1, 0.2, 64);

    /// <summary>Those of a network.</summary>
    /// <param name="network">Its name.</param>
    /// <param name="quick">Whether the numbers shall show no more than that a program runs.</param>
    public static ComparisonSettings Of(string network, bool quick) => quick ? s_quick : network == ComparedNetworks.Course ? s_course : s_other;

    /// <summary>A part of the time.</summary>
    public TimeSpan Share(double share) => TimeSpan.FromSeconds(share * Seconds);
}
