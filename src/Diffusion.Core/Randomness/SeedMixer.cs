namespace Diffusion;

/// <summary>Derives independent seeds from a seed and counters, so that every random number is a function of what it is for.</summary>
/// <remarks>The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).</remarks>
internal static class SeedMixer
{
    /// <summary>A seed for the given purpose and counter.</summary>
    public static ulong Mix(long seed, Purpose purpose, long counter)
    {
        var state = Scramble(unchecked((ulong)seed));
        state = Scramble(state ^ (ulong)purpose);
        return Scramble(state ^ unchecked((ulong)counter));
    }

    private static ulong Scramble(ulong value)
    {
        unchecked
        {
            value += 0x9E3779B97F4A7C15;
            value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
            value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
            return value ^ (value >> 31);
        }
    }

    /// <summary>What random numbers are drawn for: different purposes get unrelated seeds.</summary>
    public enum Purpose
    {
        Sampling = 1,
        TrainingStep = 2,
        NetworkStep = 3,
        EpochOrder = 4,
        BrownianPath = 5,
        BrownianNode = 6,
        Augmentation = 7,
        ClassOrder = 8,
        Numbers = 9,
        NumberStream = 10,
        Evaluation = 11,
    }
}
