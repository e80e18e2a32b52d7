namespace Diffusion.Evaluation;

/// <summary>Some of the timesteps of a schedule, each with how many it stands for.</summary>
internal static class TimestepStrata
{
    /// <summary>Timestep 0, and one from each range of the others: small ranges first, as the terms of the bound fall with the timestep.</summary>
    /// <param name="all">T, the number of timesteps.</param>
    /// <param name="count">How many to choose, from 2 to T.</param>
    /// <param name="seed">Decides which.</param>
    /// <returns>Increasing timesteps, and the sizes of their ranges.</returns>
    /// <exception cref="ArgumentOutOfRangeException">The count is outside its range, where there are 2 timesteps or more.</exception>
    public static IReadOnlyList<(int Timestep, int Weight)> Choose(int all, int count, long seed)
    {
        if (count < Math.Min(2, all) || count > all)
        {
            throw new ArgumentOutOfRangeException(nameof(count), count, $"The number of timesteps of the bound must be in [2, {all}].");
        }

        var random = new SeededRandom(unchecked((long)SeedMixer.Mix(seed, SeedMixer.Purpose.Evaluation, 2)));
        var ranges = count - 1;
        return [(0, 1), .. Enumerable.Range(0, ranges).Select(i =>
        {
            var (begin, end) = (Border(i), Border(i + 1));
            return (begin + random.Next(end - begin), end - begin);
        })];

        int Border(int range) => 1 + Math.Max(range, (int)((all - 1) * Math.Pow((double)range / ranges, 3)));
    }
}
