namespace Diffusion;

/// <summary>One of the 2^level equal parts of [0, 1], and what the noise that belongs to it contributes to the path at a time.</summary>
/// <param name="Level">How often [0, 1] was halved.</param>
/// <param name="Index">Which part, from 0.</param>
internal readonly record struct BrownianInterval(int Level, long Index)
{
    /// <summary>A number of its own among the intervals of all levels, at least 1.</summary>
    public long Node => (1L << Level) + Index;

    private double Width => 1.0 / (1L << Level);

    /// <summary>The interval of a level that contains a time; between two, the later.</summary>
    public static BrownianInterval Around(double clock, int level)
    {
        var count = 1L << level;
        return new BrownianInterval(level, Math.Min((long)(clock * count), count - 1));
    }

    /// <summary>
    /// How much the noise of the middle moves W(clock), if W is a straight line in each half: the middle of a bridge has the standard
    /// deviation √width/2, its ends and everything outside none.
    /// </summary>
    public double MiddleWeight(double clock) => Math.Sqrt(Width) / 2 * (1 - Math.Abs((2 * Share(clock)) - 1));

    /// <summary>The standard deviation of a bridge between the ends at a time; 0 at the ends and outside.</summary>
    public double BridgeWeight(double clock) => Math.Sqrt(Share(clock) * (1 - Share(clock)) * Width);

    private double Share(double clock) => Math.Clamp((clock * (1L << Level)) - Index, 0, 1);
}
