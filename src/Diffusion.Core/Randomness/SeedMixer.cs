namespace Diffusion;

/// <summary>Derives independent seeds from a seed and counters, so that every random number is a function of what it is for.</summary>
/// <remarks>The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014).</remarks>
internal static class SeedMixer
{
    /// <summary>From one number of SplitMix64's counter to the next.</summary>
    public const ulong Step = 0x9E3779B97F4A7C15;

    /// <summary>The first factor of <see cref="Scramble"/>.</summary>
    public const ulong First = 0xBF58476D1CE4E5B9;

    /// <summary>The second factor of <see cref="Scramble"/>.</summary>
    public const ulong Second = 0x94D049BB133111EB;

    /// <summary>A seed for the given purpose and counter.</summary>
    public static ulong Mix(long seed, Purpose purpose, long counter)
    {
        var state = Scramble(unchecked((ulong)seed));
        state = Scramble(state ^ (ulong)purpose);
        return Scramble(state ^ unchecked((ulong)counter));
    }

    /// <summary>From a counter to bits, one to one.</summary>
    public static ulong Scramble(ulong value)
    {
        unchecked
        {
            value += Step;
            value = (value ^ (value >> 30)) * First;
            value = (value ^ (value >> 27)) * Second;
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
        LayerCall = 12,
        LayerImage = 13,
    }
}
