namespace Diffusion;

/// <summary>
/// Random numbers on the processor for what is drawn image by image, such as augmentations: number <i>n</i> is a function of the seed and
/// <i>n</i> alone, on every platform and in every version of .NET. For one thread. Not for secrets.
/// </summary>
/// <remarks>The mixing function of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014), applied to a counter.</remarks>
public sealed class SeededRandom
{
    private const double Unit = 1.0 / (1L << 53);
    private readonly long _seed;
    private long _drawn;

    /// <summary>Starts a sequence.</summary>
    /// <param name="seed">Any number; different ones give unrelated sequences.</param>
    public SeededRandom(long seed) => _seed = seed;

    /// <summary>Starts one of many sequences of a seed.</summary>
    /// <param name="seed">Any number.</param>
    /// <param name="stream">Which sequence, such as the index of an image; the sequences of different streams are unrelated.</param>
    public SeededRandom(long seed, long stream)
        : this(unchecked((long)SeedMixer.Mix(seed, SeedMixer.Purpose.NumberStream, stream)))
    {
    }

    /// <summary>64 random bits, to be the seed of something else.</summary>
    /// <returns>Any number, all equally likely.</returns>
    public long NextSeed() => unchecked((long)NextBits());

    /// <summary>A whole number.</summary>
    /// <param name="count">How many there are to choose from, at least 1.</param>
    /// <returns>A number in [0, <paramref name="count"/>), all equally likely to within 2⁻³³.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is less than 1.</exception>
    public int Next(int count)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        return (int)Math.BigMul(NextBits(), (ulong)count, out _);
    }

    /// <summary>A number in [0, 1), a multiple of 2⁻⁵³.</summary>
    /// <returns>The number.</returns>
    public double NextDouble() => (NextBits() >> 11) * Unit;

    private ulong NextBits() => SeedMixer.Mix(_seed, SeedMixer.Purpose.Numbers, _drawn++);
}
